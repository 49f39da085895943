"""The pruning card: what a study decides, why, and who pays, as one HTML file and a Markdown twin.

It reads results and never trains. Only here Jinja2.
"""

from prune_fair.report.card import Card, TaskCard, make_card
from prune_fair.report.render import Written, card_files, write_card
from prune_fair.report.sentences import headlines

__all__ = ["Card", "TaskCard", "Written", "card_files", "headlines", "make_card", "write_card"]
