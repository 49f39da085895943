"""The architecture of a task."""

from dataclasses import dataclass

from prune_fair.data import GIVEN
from prune_fair.errors import check, lookup
from prune_fair.models import MODELS, is_chain
from prune_fair.values import MOST, check_folder_name, check_number, is_whole, shortened


@dataclass(frozen=True)
class ModelConfig:
    """The architecture of a task.

    Attributes:
        name: a row of `MODELS`: `mlp`, `lenet5`, `alexnet`, `vgg11`, `resnet18` or `vit`; or
            `given:NAME`, a network that an audit is handed.
        widths: hidden widths of an `mlp`; empty for 300 and 100.
        width: multiplies the channels of all layers, of `alexnet`, `vgg11`, `resnet18` and `vit`;
            above 0.

    Raises:
        InputError: for an unknown name or a width outside its range.

    Example:
        >>> ModelConfig("mlp", widths=(100, 50))
        ModelConfig(name='mlp', widths=(100, 50), width=1.0)
    """

    name: str = "mlp"
    widths: tuple[int, ...] = ()
    width: float = 1.0

    def __post_init__(self) -> None:
        if self.is_given:
            check_folder_name(self.name.removeprefix(GIVEN), "network")
        else:
            lookup(MODELS, self.name, "model")
        most = MOST["widths"]
        check(
            all(is_whole(width, 1, most) for width in self.widths),
            f"widths {shortened(self.widths)}: expected at least 1 each, at most {most:,}",
        )
        most = MOST["width"]
        expected = f"a number above 0, at most {most:,}"
        check_number("width", self.width, lambda width: 0 < width <= most, expected)

    @property
    def is_given(self) -> bool:
        """Whether it is no architecture of ours, but one that an audit is handed."""
        return self.name.startswith(GIVEN)

    @property
    def is_chain(self) -> bool:
        """Whether each layer is known to read the one before it and no other."""
        return not self.is_given and is_chain(MODELS[self.name])
