"""The kinds of run of this app."""

from typing import Final

from project.core import kinds
from project.core.kinds import Kind

BACKUP: Final = kinds.register(
    Kind("core.backup", "Back up the database", limit_s=6_600, max_attempts=3, alone=True)
)
VERIFY: Final = kinds.register(
    Kind("storage.verify", "Verify a backup", limit_s=3_600, max_attempts=2)
)
DRILL: Final = kinds.register(
    Kind("storage.drill", "Backup drill", limit_s=6_600, max_attempts=1, alone=True)
)
THIN: Final = kinds.register(
    Kind("storage.thin", "Thin the pool statistics", limit_s=300, alone=True)
)
