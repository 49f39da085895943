"""`prune-fair report`."""

from pathlib import Path

from prune_fair import analysis, console
from prune_fair.cli.choice import NOTHING_QUALIFIES, Repeated
from prune_fair.cli.flags import StudyPath


def report(
    study: StudyPath,
    require: Repeated = (),
    maximise: str = analysis.SPARSITY,
    certify: bool = False,
    confidence: float = analysis.CONFIDENCE,
    out: Path | None = None,
) -> None:
    """Writes the pruning card: a decision, its reasons, who pays, limits, how to run it again.

    The exit status is 1 where no operating point of a task qualifies; the card is written and says
    so.

    Args:
        study: directory that an experiment wrote.
        require: a constraint, such as "recall_group_min>=0.8"; may be given again. Without any,
            no class's mean recall may fall by more than 5 points.
        maximise: the metric to be best in, in its better direction, or sparsity.
        certify: one-sided bounds over seeds and images hold the constraints, not only means, at
            that confidence for all classes, points and techniques together.
        confidence: of the intervals, in (0, 1).
        out: the HTML file; report.html in the study's directory if not said. Its Markdown twin
            goes beside it.
    """
    from prune_fair.report import headlines, write_card  # brings matplotlib

    asked = require or analysis.DEFAULT_REQUIRE
    written = write_card(study, asked, maximise, confidence, out, certify)
    screen = console.make_console()
    for name, line in headlines(written.card):
        screen.print(f"{name}: {line}", markup=False, soft_wrap=True)
    for kind, path in (("card", written.html), ("text", written.markdown)):
        screen.print(f"{kind}  {path}", markup=False, soft_wrap=True)
    if any(task.decision.chosen is None for task in written.card.tasks):
        raise SystemExit(NOTHING_QUALIFIES)
