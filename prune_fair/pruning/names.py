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
UNTOUCHED = "dense"  # the criterion of the networks that others prune
NOTHING = "nothing"  # that of a control, which is retrained as others are and not pruned
SHARES = {
    "finetune_learning_rate": (lambda share: 0 < share <= 1, "a share in (0, 1]"),
    "gradual_share": (lambda share: 0 < share < 1, "a share of the steps, in (0, 1)"),
    "drop_share": (lambda share: 0 < share <= 1, "a share of the weights, in (0, 1]"),
}
WHOLE = {  # and the least of each
    "score_batches": 1,
    "gradual_prunings": 1,
    "mask_updates": 1,
    "mask_interval": 1,
    "rewind_step": 0,
}
LONG = "long"  # a control's name for lr_rewind: it trains on as long as others, at the full rate
LONG_TREATMENT = "lr_rewind"
UNPRUNED = UNTOUCHED, *(f"{UNTOUCHED}-{word}" for word in (LONG, *TREATMENTS))


def settings_of(criterion: str, treatment: str) -> dict[str, tuple[str, ...]]:
    """The settings that a criterion and a treatment read, by part.

    A control, whose criterion is `nothing`, has those of its treatment.

    Example:
        >>> settings_of("saliency", "rewind")
        {'criterion': ('score_batches',), 'treatment': ('rewind_step',)}
    """
    if criterion == UNTOUCHED:
        return {"criterion": (), "treatment": ()}
    asks = criterion != NOTHING and CRITERIA[criterion].asks_batches
    return {
        "criterion": ("score_batches",) if asks else (),
        "treatment": TREATMENTS[treatment].takes,
    }


def name_of(technique: Any) -> str:
    """The name of a `Technique`: its parts, and the settings that differ from the defaults."""
    loss = f"+{technique.loss}" * bool(technique.loss)
    if technique.criterion == UNTOUCHED:
        return UNTOUCHED + loss
    shown = {
        part: _shown(technique, settings)
        for part, settings in settings_of(technique.criterion, technique.treatment).items()
    }
    if technique.criterion == NOTHING:
        treatment = LONG if technique.treatment == LONG_TREATMENT else technique.treatment
        return f"{UNTOUCHED}-{treatment}{shown['treatment']}{loss}"
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
        >>> read_name("dense-long@100")
        {'criterion': 'nothing', 'treatment': 'lr_rewind', 'loss': '', 'rewind_step': 100}
    """
    words, plus, loss = name.partition("+")
    if bool(loss) != bool(plus):
        return None
    parts = words.split("-")
    if parts[0] == UNTOUCHED:
        return _read_unpruned(name, parts[1:], loss)
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


def _read_unpruned(name: str, parts: Sequence[str], loss: str) -> dict[str, Any] | None:
    """The fields of the dense technique or of a control, by what stands behind "dense"."""
    if not parts:
        return {"criterion": UNTOUCHED, "treatment": "rewind", "loss": loss}
    word, at, values = parts[0].partition("@")
    treatment = LONG_TREATMENT if word == LONG else word
    if len(parts) > 1 or treatment not in TREATMENTS:
        return None
    row = TREATMENTS[treatment]
    numbers = _read(name, row.takes, values.split(",") if at else [])
    treatment = row.unpruned or treatment
    kept = {each: numbers[each] for each in TREATMENTS[treatment].takes if each in numbers}
    return {"criterion": NOTHING, "treatment": treatment, "loss": loss, **kept}


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
        >>> name_pattern().rpartition(" or ")[2]
        'dense-(long|TREATMENT)[@SETTING,...][+LOSS]'
    """
    criterion, treatment = ("|".join(rows) for rows in (CRITERIA, TREATMENTS))
    granularity = "|".join(list(GRANULARITIES)[1:])
    scope, loss = "|".join((*SCOPES, BY_HAND)), "|".join(LOSSES)
    ends = f"[-{OUTPUT}][-{SKIP_FIRST}][+({loss})[@SETTING,...]]"
    pruned = f"({criterion})[@BATCHES]-({scope})[-({granularity})]-({treatment})[@SETTING,...]"
    return f"{pruned}{ends} or {UNTOUCHED}-({LONG}|TREATMENT)[@SETTING,...][+LOSS]"
