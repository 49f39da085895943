"""Names of techniques: how the parts and settings of one stand in a line, and how it is read."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from prune_fair.errors import InputError, check
from prune_fair.losses import LOSSES
from prune_fair.pruning.criteria import CRITERIA
from prune_fair.pruning.scopes import BY_HAND, SCOPES
from prune_fair.pruning.selection import GRANULARITIES
from prune_fair.pruning.treatments import TREATMENTS

OUTPUT, SKIP_FIRST = "output", "skipfirst"
NOTHING = "nothing"  # the criterion of what is not pruned
SHARES = {
    "finetune_learning_rate": (lambda share: 0 < share <= 1, "a share in (0, 1]"),
    "gradual_share": (lambda share: 0 < share < 1, "a share of the steps, in (0, 1)"),
}
WHOLE = {"score_batches": 1, "gradual_prunings": 1, "rewind_step": 0}  # and the least of each
UNPRUNED = {"rewind": "dense", "lr_rewind": "dense-long", "none": "dense"}  # by treatment


def settings_of(criterion: str, treatment: str) -> dict[str, tuple[str, ...]]:
    """The settings that a criterion and a treatment read, by part; none where nothing is pruned.

    Example:
        >>> settings_of("saliency", "rewind")
        {'criterion': ('score_batches',), 'treatment': ('rewind_step',)}
    """
    if criterion == NOTHING:
        return {"criterion": (), "treatment": ()}
    asks = CRITERIA[criterion].asks_batches
    return {
        "criterion": ("score_batches",) if asks else (),
        "treatment": TREATMENTS[treatment].takes,
    }


def name_of(technique: Any) -> str:
    """The name of a `Technique`: its parts, and the settings that differ from the defaults."""
    loss = f"+{technique.loss}" * bool(technique.loss)
    if technique.criterion == NOTHING:
        return UNPRUNED[technique.treatment] + loss
    shown = {
        part: _shown(technique, settings)
        for part, settings in settings_of(technique.criterion, technique.treatment).items()
    }
    plain = technique.granularity == "unstructured"
    parts = (
        technique.criterion + shown["criterion"],
        technique.scope,
        *(() if plain else (technique.granularity,)),
        technique.treatment + shown["treatment"],
        *(OUTPUT,) * technique.output,
        *(SKIP_FIRST,) * (not technique.first),
    )
    return "-".join(parts) + loss


def _shown(technique: Any, settings: Sequence[str]) -> str:
    """A part's settings as they stand in a name, up to the last that is not the default."""
    defaults = {each.name: each.default for each in fields(technique)}
    values = [getattr(technique, name) for name in settings]
    while values and values[-1] == defaults[settings[len(values) - 1]]:
        values.pop()
    return f"@{','.join(map(_in_digits, values))}" if values else ""


def _in_digits(value: int | float) -> str:
    return np.format_float_positional(value, trim="-")


def read_name(name: str) -> dict[str, Any] | None:
    """The fields of the `Technique` of that name; None for a name that is none.

    Raises:
        InputError: for settings that its parts do not have, or that are no numbers.

    Example:
        >>> read_name("dense-long")
        {'criterion': 'nothing', 'treatment': 'lr_rewind', 'loss': ''}
    """
    words, plus, loss = name.partition("+")
    if bool(loss) != bool(plus):
        return None
    for treatment, unpruned in UNPRUNED.items():
        if words == unpruned:
            return {"criterion": NOTHING, "treatment": treatment, "loss": loss}
    parts = words.split("-")
    ends = [end for end in (OUTPUT, SKIP_FIRST) if end in parts]
    count = len(parts) - len(ends)
    split = [part.partition("@") for part in parts[:count]]
    if len(split) == 3:
        split.insert(2, ("unstructured", "", ""))
    if len(split) != 4 or parts[count:] != ends:
        return None
    criterion, scope, granularity, treatment = (word for word, _, _ in split)
    rows = (criterion, CRITERIA), (granularity, GRANULARITIES), (treatment, TREATMENTS)
    known_scope = scope in SCOPES or "=" in scope
    if not known_scope or any(word not in registry for word, registry in rows):
        return None
    settings = settings_of(criterion, treatment)
    takes = settings["criterion"], (), (), settings["treatment"]
    numbers: dict[str, Any] = {}
    for (_, at, values), names in zip(split, takes, strict=True):
        numbers |= _read(name, names, values.split(",") if at else [])
    return {
        "criterion": criterion,
        "scope": scope,
        "granularity": granularity,
        "treatment": treatment,
        "output": OUTPUT in ends,
        "first": SKIP_FIRST not in ends,
        "loss": loss,
        **numbers,
    }


def _read(name: str, settings: Sequence[str], words: Sequence[str]) -> Mapping[str, int | float]:
    """The settings of a part that the words behind its "@" give."""
    takes = f"at most {len(settings)} ({', '.join(settings)})" if settings else "none there"
    check(
        len(words) <= len(settings),
        f"technique {name!r}: settings {','.join(words)}: expected {takes}",
    )
    return {s: _number(name, s, word) for s, word in zip(settings, words, strict=False)}


def _number(name: str, setting: str, word: str) -> int | float:
    kind = int if setting in WHOLE else float
    try:
        return kind(word)
    except ValueError:
        expected = "a whole number" if kind is int else "a number"
        raise InputError(f"technique {name!r}: {setting} {word!r}: expected {expected}") from None


def name_pattern() -> str:
    """How a technique's name is made up, with the valid words of each part.

    Example:
        >>> name_pattern().endswith("[+(cross_entropy|balanced_softmax)] or dense-long")
        True
    """
    criterion, treatment = ("|".join(rows) for rows in (CRITERIA, TREATMENTS))
    granularity = "|".join(list(GRANULARITIES)[1:])
    scope, loss = "|".join((*SCOPES, BY_HAND)), "|".join(LOSSES)
    ends = f"[-{OUTPUT}][-{SKIP_FIRST}][+({loss})]"
    pruned = f"({criterion})[@BATCHES]-({scope})[-({granularity})]-({treatment})[@SETTING,...]"
    return f"{pruned}{ends} or dense-long"
