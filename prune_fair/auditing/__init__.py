"""Networks that somebody else trained, made the subject of a study."""

from prune_fair.auditing.audit import SCHEDULE, TECHNIQUES, audit, digest_of
from prune_fair.auditing.config import AuditConfig
from prune_fair.auditing.export import check_export, export

__all__ = ["SCHEDULE", "TECHNIQUES", "AuditConfig", "audit", "check_export", "digest_of", "export"]
