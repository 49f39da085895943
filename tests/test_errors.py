import pytest

from prune_fair.errors import InputError, check, lookup


def test_lookup_names_the_nearest_and_all():
    with pytest.raises(InputError, match="unknown metric 'acuracy': did you mean 'accuracy'") as e:
        lookup({"accuracy": 1, "recall": 2}, "acuracy", "metric")
    assert "Valid: accuracy, recall" in str(e.value)


def test_lookup_suggests_even_for_nonsense():
    with pytest.raises(InputError, match="did you mean"):
        lookup({"accuracy": 1}, "zzz", "metric")


def test_check():
    check(True, "never")
    with pytest.raises(InputError, match="always"):
        check(False, "always")
