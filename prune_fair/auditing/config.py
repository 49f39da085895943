"""What is asked of an audit."""

from dataclasses import dataclass

from prune_fair.config import StudyConfig
from prune_fair.errors import check, lookup
from prune_fair.pruning import CRITERIA, Technique

PIXELS = ("unit", "standardised")


@dataclass(frozen=True)
class AuditConfig(StudyConfig):
    """A study of networks that were handed over; its seeds are these networks.

    Attributes:
        pixels: how bytes reach the network: `unit`, from 0 to 1, or `standardised`, with mean 0 and
            deviation 1 by channel over the training images, as studies train. Floats stay as they
            are.
        networks_sha256: of all numbers of the networks, so that a directory holds one audit.

    Raises:
        InputError: as `StudyConfig`, and for techniques that need what only training here would
            know.
    """

    pixels: str = "unit"
    networks_sha256: str = ""

    def __post_init__(self) -> None:
        lookup(dict.fromkeys(PIXELS), self.pixels, "pixels")
        for technique in self.parsed_techniques:
            self._check_technique(technique)
        for task in self.tasks:
            images = task.recipe.recalibrate_images
            check(images == 0, f"recalibrate_images {images}: a handed-over network cannot; use 0")
        super().__post_init__()

    def _check_technique(self, technique: Technique) -> None:
        refused, treatment = f"technique {technique.name!r}: ", technique.retraining
        check(
            not technique.prunes or not CRITERIA[technique.criterion].asks_initial,
            f"{refused}{technique.criterion} looks at the initialisation, which an audit does not "
            "have; use another criterion",
        )
        check(
            not treatment.rewinds and not treatment.begins_anew,
            f"{refused}{technique.treatment} starts from an initialisation, which an audit does "
            "not have; use none, finetune, lr_rewind or gradual",
        )
        check(
            technique.granularity == "unstructured",
            f"{refused}{technique.granularity} needs to know which way a kernel lies and what "
            "reads its channels; an audit prunes single weights",
        )
