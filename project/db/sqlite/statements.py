"""Decides from its text whether a statement writes, and whether it changes the connection itself."""

import re
from typing import Final

#: Statements that only read, or that are about transactions; anything unknown counts as a write,
#: which costs a turn at the gate and is never wrong.
_READS: Final = re.compile(
    r"\s*(?:(?:--[^\n]*\n|/\*.*?\*/)\s*)*"
    r"(?:SELECT\b|VALUES\b|EXPLAIN\b|PRAGMA\b|SAVEPOINT\b|RELEASE\b|ROLLBACK\b|COMMIT\b|END\b|\("
    r"|BEGIN\b(?!\s+(?:IMMEDIATE|EXCLUSIVE))"
    r"|WITH\b(?!.*\b(?:INSERT|UPDATE|DELETE|REPLACE\s+INTO)\b))",
    re.IGNORECASE | re.DOTALL,
)
#: Statements whose effect stays on the connection after it is given back.
_TAINTS: Final = re.compile(
    r"\s*(?:ATTACH\b|CREATE\s+TEMP|PRAGMA\s+\w+(?:\.\w+)?\s*="
    r"|PRAGMA\s+(?!\w*(?:_info|_xinfo|_list|_check|_checkpoint)\b)\w+\s*\()",
    re.IGNORECASE,
)
_PLAIN_WRITES: Final = ("INSERT ", "UPDATE ", "DELETE ")


def is_read(sql: str) -> bool:
    """Say whether ``sql`` needs no turn at the writer gate."""
    if sql.startswith(_PLAIN_WRITES):
        return False
    return sql.startswith("SELECT") or _READS.match(sql) is not None


def taints(sql: str) -> bool:
    """Say whether ``sql`` leaves something on the connection that the next user must not meet."""
    if sql.startswith(("SELECT", *_PLAIN_WRITES)):
        return False
    return _TAINTS.match(sql) is not None
