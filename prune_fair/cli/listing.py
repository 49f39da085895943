"""`prune-fair list`."""

from collections.abc import Mapping
from typing import Any

from prune_fair import console
from prune_fair.fairness import METRICS
from prune_fair.provenance import summary_and_source


def list_rows(json: bool = False) -> None:
    """What a study can be made of, each with one line and its source.

    Args:
        json: print one JSON document.
    """
    # Brings Flax, which commands that read results do without.
    from prune_fair.datasets import CORRUPTIONS, SOURCES
    from prune_fair.engine.statistics import STATISTICS
    from prune_fair.losses import LOSSES
    from prune_fair.models import MODELS
    from prune_fair.pruning import (
        CRITERIA,
        GRANULARITIES,
        SCHEDULES,
        SCOPES,
        TREATMENTS,
        name_pattern,
    )

    described: dict[str, Mapping[str, Any]] = {
        "datasets": SOURCES,
        "corruptions": CORRUPTIONS,
        "models": MODELS,
        "criteria": CRITERIA,
        "treatments": TREATMENTS,
        "schedules": SCHEDULES,
        "scopes": SCOPES,
        "granularities": GRANULARITIES,
        "losses": LOSSES,
    }
    listing = {
        kind: {name: _row(*summary_and_source(row)) for name, row in rows.items()}
        for kind, rows in described.items()
    }
    listing["techniques"] = {name_pattern(): _row("what --techniques takes", "see the rows above")}
    listing["statistics"] = {
        name: _row(row.description, f"{row.unit}, by {', '.join(row.axes)}")
        for name, row in STATISTICS.items()
    }
    listing["metrics"] = {name: _row(row.description, row.source) for name, row in METRICS.items()}
    if json:
        console.print_json(listing)
    else:
        console.print_listing(console.make_console(), listing)


def _row(summary: str, source: str) -> dict[str, str]:
    return {"summary": summary, "source": source}
