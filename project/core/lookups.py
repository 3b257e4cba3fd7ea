"""What was read from the database and is remembered for all processes, exactly until it changes.

Each entry carries a random token of its name's shard. Forgetting a name drops that token, and so
whatever was, or is just being, kept under it: a reader that looked at the database before the
change can't put the old value back, since it took its token before it looked. Without a shared
cache, or while that is away, nothing is remembered and nothing found.
"""

import secrets
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.cache import caches
from django.db import connection, transaction

#: A change makes all entries of its shard be read anew: each costs its next reader one query.
_SHARDS: Final = 64
#: Tokens outlive every entry.
_TOKEN_LIFE_S: Final = 24 * 3600
_TOKENS: Final = tuple(f"token:{number}" for number in range(_SHARDS))


def _token_of(name: str) -> str:
    return _TOKENS[zlib.crc32(name.encode()) % _SHARDS]


def is_shared() -> bool:
    """Say whether anything is remembered at all: whether there is a shared cache, and it is there."""
    return bool(caches["shared"].place.is_shared)  # type: ignore[attr-defined]


def find(*names: str) -> dict[str, Any]:
    """Return what is remembered under ``names``; costs one look at the shared cache."""
    cache = caches["shared"]
    if not is_shared():
        return {}
    tokens = {name: _token_of(name) for name in names}
    known = cache.get_many([*(f"entry:{name}" for name in names), *set(tokens.values())])
    found = {}
    for name, token in tokens.items():
        entry = known.get(f"entry:{name}")
        if entry is not None and entry[0] == known.get(token):
            found[name] = entry[1]
    return found


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to keep what is read from the database from now on."""

    _tokens: Mapping[str, str] = field(default_factory=dict)

    def keep(self, values: Mapping[str, Any], *, life_s: int) -> None:
        """Remember values by name, as plain JSON, unless they change meanwhile."""
        entries = {
            f"entry:{name}": [self._tokens[_token_of(name)], value]
            for name, value in values.items()
            if _token_of(name) in self._tokens
        }
        if entries:
            caches["shared"].set_many(entries, life_s)


def begin() -> Turn:
    """Take a turn: call it before looking at the database for what shall be kept."""
    cache = caches["shared"]
    if not is_shared():
        return Turn()
    known = cache.get_many(_TOKENS)
    if missing := [name for name in _TOKENS if name not in known]:
        for name in missing:
            cache.add(name, secrets.token_hex(8), _TOKEN_LIFE_S)
        known |= cache.get_many(missing)
    return Turn(known)


def forget(*names: str) -> None:
    """Let ``names`` be read anew, here at once and by others when the transaction is committed."""
    if names:
        _drop({_token_of(name) for name in names})


def forget_all() -> None:
    """Let everything be read anew, as ``forget``."""
    _drop(_TOKENS)


def _drop(tokens: Iterable[str]) -> None:
    gone = sorted(tokens)
    if connection.in_atomic_block:
        caches["shared"].delete_many(gone)
    transaction.on_commit(lambda: caches["shared"].delete_many(gone))
