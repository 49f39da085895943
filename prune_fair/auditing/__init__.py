"""Networks that somebody else trained, made the subject of a study."""

from prune_fair.auditing.audit import METHODS, SCHEDULE, audit
from prune_fair.auditing.config import AuditConfig
from prune_fair.auditing.export import export

__all__ = ["METHODS", "SCHEDULE", "AuditConfig", "audit", "export"]
