"""Corruptions: by hand on tiny images, and what holds of each on images drawn at random."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from prune_fair import DataConfig, InputError, StudyConfig, TaskConfig
from prune_fair.data import Dataset
from prune_fair.datasets import CORRUPTIONS, Shift, canonical_shifts, corrupt, with_shifts

every_corruption = pytest.mark.parametrize("name", CORRUPTIONS)
program = jax.jit(corrupt)
SHAPES = [(8, 8, 1), (12, 16, 3)]


def shifted(images, name, positions=None):
    positions = jnp.arange(len(images)) if positions is None else positions
    return np.asarray(program(jnp.asarray(images), Shift.of(name, images.shape[1:]), positions))


def drawn(rng, shape, number=6):
    return rng.integers(0, 256, (number, *shape), dtype=np.uint8)


@every_corruption
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_higher_severity_is_farther_from_the_clean_image(name, shape, rng):
    images = drawn(rng, shape)
    distances = [
        np.abs(shifted(images, f"{name}@{severity}").astype(float) - images).mean()
        for severity in range(1, 6)
    ]
    assert distances[0] > 1
    assert (np.diff(distances) > 0.1).all(), distances


@every_corruption
@pytest.mark.parametrize("severity", [1, 5])
def test_extreme_images_stay_bytes_of_their_shape(name, severity):
    for value in (0, 255):
        images = np.full((2, 9, 8, 3), value, np.uint8)
        changed = shifted(images, f"{name}@{severity}")
        assert (changed.dtype, changed.shape) == (np.uint8, images.shape)
        if name not in ("noise", "brightness"):
            assert np.array_equal(changed, images)
        elif name == "brightness":
            assert (changed == min(255, value + round(255 * (severity / 10)))).all()
        else:  # clipped: no value runs over the end
            assert 0.4 < (changed == value).mean() < 0.6


@every_corruption
def test_an_image_is_changed_alike_whatever_goes_with_it(name, rng):
    images = drawn(rng, (8, 8, 1), 7)
    whole = shifted(images, f"{name}@4")
    assert np.array_equal(shifted(images, f"{name}@4"), whole)
    part = np.array([5, 2])
    assert np.array_equal(shifted(images[part], f"{name}@4", jnp.asarray(part)), whole[part])


def test_only_what_draws_depends_on_the_position(rng):
    same = np.repeat(drawn(rng, (8, 8, 1), 1), 40, axis=0)
    changed = {name: shifted(same, f"{name}@3") for name in CORRUPTIONS}
    differ = {name for name, images in changed.items() if (images != images[:1]).any()}
    assert differ == {"noise", "occlude"}


def test_noise_is_normal_and_independent_between_pixels_and_images():
    images = np.full((200, 8, 8, 3), 128, np.uint8)
    off = (shifted(images, "noise@1").astype(float) - 128) / 255 / 0.08
    assert abs(off.mean()) < 0.02
    assert abs(off.std() - 1) < 0.01
    assert abs((np.abs(off) > 1.645).mean() - 0.1) < 0.01
    flat = off.reshape(200, -1)
    for one, other in ((flat[:, :-1], flat[:, 1:]), (flat[:-1], flat[1:])):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.02


def test_contrast_by_hand():
    image = np.array([[0, 100], [200, 100]], np.uint8).reshape(1, 2, 2, 1)
    # mean 100; a share of 0.3 is left: 100 - 30, 100 + 30
    assert shifted(image, "contrast@2").ravel().tolist() == [70, 100, 130, 100]


def test_brightness_by_hand_keeps_hue_and_saturation():
    image = np.array([[0, 0, 0], [102, 51, 0], [230, 115, 230]], np.uint8).reshape(1, 1, 3, 3)
    # value + 0.2 * 255 = 51: black to grey, 102 to 153 (x 1.5), 230 to 255, which is the most
    changed = shifted(image, "brightness@2").reshape(3, 3).tolist()
    assert changed == [[51, 51, 51], [153, 76, 0], [255, 128, 255]] or changed[1] == [153, 77, 0]


def test_pixelate_by_hand():
    """Severity 2 is the mean of blocks of 2, severity 5 of blocks of 4."""
    image = np.arange(64, dtype=np.uint8).reshape(1, 8, 8, 1) * 4
    for severity, cell in ((2, 2), (5, 4)):
        blocks = image.reshape(1, 8 // cell, cell, 8 // cell, cell).mean(axis=(2, 4))
        wanted = np.rint(blocks.repeat(cell, axis=1).repeat(cell, axis=2))
        assert np.abs(shifted(image, f"pixelate@{severity}")[..., 0] - wanted).max() <= 0.5


def test_blur_equals_scipy(rng):
    from scipy.ndimage import gaussian_filter

    images = drawn(rng, (16, 12, 2), 3)
    wanted = gaussian_filter(images.astype(float), (0, 1.0, 1.0, 0), mode="nearest", truncate=6)
    assert np.abs(shifted(images, "blur@5") - wanted).max() < 0.51


def test_occlusion_is_one_rectangle_inside_of_the_mean_anywhere():
    images = np.zeros((300, 8, 10, 1), np.uint8)
    images[:, ::2] = 200
    changed = shifted(images, "occlude@3")[..., 0]  # 3 of 8 rows, round(3.75) = 4 of 10 columns
    covered = changed == 100
    assert (covered.sum(axis=(1, 2)) == 12).all()
    assert (covered.any(axis=2).sum(axis=1) == 3).all()
    assert {*covered.any(axis=2).argmax(axis=1).tolist()} == {*range(6)}
    assert {*covered.any(axis=1).argmax(axis=1).tolist()} == {*range(7)}
    assert (changed[~covered] == images[..., 0][~covered]).all()


def test_lengths_in_pixels_grow_with_the_image_others_do_not():
    assert [CORRUPTIONS["blur"].amount(5, side) for side in (8, 32, 112)] == [1.0, 1.0, 3.0]
    for name in {*CORRUPTIONS} - {"blur"}:
        assert Shift.of(f"{name}@3", (8, 8, 1)) == Shift.of(f"{name}@3", (224, 300, 3))


def test_all_shifts_are_one_program(rng):
    images, program = jnp.asarray(drawn(rng, (8, 8, 1))), jax.jit(lambda *given: corrupt(*given))
    for name in canonical_shifts([*CORRUPTIONS]):
        program(images, Shift.of(name, (8, 8, 1)), jnp.arange(6))
    assert program._cache_size() == 1


def test_names_are_put_in_one_order_and_a_name_alone_is_all_severities():
    assert DataConfig(shift=("blur@5", "noise")).shift == (
        *(f"noise@{severity}" for severity in range(1, 6)),
        "blur@5",
    )
    assert DataConfig(shift=("blur@5", "noise@1")) == DataConfig(shift=("noise@1", "blur@5"))


def test_no_shift_leaves_the_fingerprint():
    plain = StudyConfig()
    asked = StudyConfig((TaskConfig(DataConfig(shift=("noise@3",))),))
    assert plain.fingerprint() == StudyConfig((TaskConfig(DataConfig(shift=())),)).fingerprint()
    assert plain.fingerprint() != asked.fingerprint()
    known = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # of {}
    assert plain.fingerprint() == known
    assert StudyConfig.from_json(asked.as_json()) == asked


@pytest.mark.parametrize(
    ("shift", "message"),
    [
        (("nois",), "unknown corruption 'nois': did you mean 'noise'"),
        (("nois@3",), "unknown corruption 'nois'"),
        (("noise@6",), "shift 'noise@6': expected a severity 1 to 5, such as noise@3, or noise"),
        (("noise@",), "shift 'noise@': expected a severity 1 to 5"),
        (("noise@03",), "shift 'noise@03': expected a severity"),
        (("noise@3", "noise"), "shift noise@3 noise: expected each once"),
    ],
)
def test_names_that_are_refused(shift, message):
    with pytest.raises(InputError, match=message):
        DataConfig(shift=shift)


def test_images_that_are_too_small_or_no_bytes_are_refused():
    with pytest.raises(InputError, match="shift 'occlude@1': images of 4x4 are too small; occlude"):
        DataConfig("digits", downsample=2, shift=("occlude",)).load()
    images, labels = np.zeros((2, 8, 8, 1), np.float32), np.array([0, 1])
    floats = Dataset(images, labels, images, labels, ("a", "b"))
    with pytest.raises(InputError, match="shift noise@3: the test images are float32; expected b"):
        with_shifts(floats, ("noise@3",))
    assert with_shifts(floats, ()) == floats
