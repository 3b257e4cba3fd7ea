"""Which rule counts a request, under which name, and what the count came to."""

import ipaddress
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from project.core.errors import QuotaExceededError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
CALLER: Final = "caller"
ADDRESS: Final = "address"
#: The network that counts as one client of IPv6: anybody has a whole one of these.
_V6_PREFIX: Final = 64
#: That of an IPv6 address which carries one of IPv4; longer texts are not even remembered.
_LONGEST_ADDRESS: Final = 45
_WILD: Final = {r"\*\*/": r"(?:.*/)?", r"\*\*": r".*", r"\*": r"[^/]+"}


@dataclass(frozen=True, slots=True)
class Rule:
    """How many requests to some addresses one caller may make in a time.

    Attributes:
        name: stable; names the counter and the label of the metric.
        paths: patterns of addresses; ``*`` is one step, ``**`` any number of them.
        amount: how many requests.
        per_s: in how many seconds.
        methods: only these; none: all.
        by: ``caller`` (key, else user, else address) or ``address``.
        raised_by: which number of the caller's plan replaces ``amount``; empty: none.
        again: for those who come back to a stream, not for those who open one.
        burst: how many may come at once, where room for more comes back at ``amount`` in ``per_s``
            (a token bucket); 0: the window slides, and all of its amount may come at once.
    """

    name: str
    paths: tuple[str, ...]
    amount: int
    per_s: int = 60
    methods: frozenset[str] = frozenset()
    by: str = CALLER
    raised_by: str = ""
    again: bool = False
    burst: int = 0

    def burst_of(self, amount: int) -> int:
        """Return the burst where a plan has replaced the amount: larger in the same measure."""
        return max(1, self.burst * amount // self.amount) if self.burst else 0

    def weight(self, method: str, path: str) -> tuple[int, bool] | None:
        """Return how closely the rule fits a request; None where it doesn't."""
        if self.methods and method not in self.methods:
            return None
        fitting = [pattern for pattern in self.paths if matches(pattern, path)]
        if not fitting:
            return None
        return max(len(pattern.replace("*", "")) for pattern in fitting), bool(self.methods)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a count came to.

    Attributes:
        is_allowed: whether the request was within the limit, and so was counted.
        rule: the rule's name.
        limit: requests allowed in the window, or at once where a rule has a burst.
        remaining: how many of them are left.
        reset_s: seconds until the oldest counted request leaves the window; with a burst until all
            of it is there again, of a refused request until the next one is allowed.
    """

    is_allowed: bool
    rule: str
    limit: int
    remaining: int
    reset_s: float

    def headers(self) -> dict[str, str]:
        """Return what every limited answer says, and a refused one besides."""
        wait = str(max(1, math.ceil(self.reset_s)))
        found = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": wait,
        }
        return found if self.is_allowed else {"Retry-After": wait, **found}


class RateLimitedError(QuotaExceededError):
    """Too many requests in the time; the verdict says when the next one is allowed."""

    code = "rate_limited"
    title = "Too many requests"

    def __init__(self, verdict: Verdict) -> None:
        wait_s = max(1, math.ceil(verdict.reset_s))
        super().__init__(
            f"{verdict.limit} requests are allowed here, the next one in {wait_s} s",
            rule=verdict.rule,
            limit=verdict.limit,
            reset_seconds=wait_s,
        )
        self.verdict = verdict


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern)
    for wild, meaning in _WILD.items():
        text = text.replace(wild, meaning)
    return re.compile(text, re.DOTALL)


def matches(pattern: str, path: str) -> bool:
    """Say whether ``path`` is one that ``pattern`` means."""
    return _compiled(pattern).fullmatch(path) is not None


def read(table: Mapping[str, Mapping[str, Any]]) -> list[Rule]:
    """Return the rules of a table as settings write it."""
    return [
        Rule(name=name, **{**facts, "methods": frozenset(facts.get("methods", ()))})
        for name, facts in table.items()
    ]


def chosen(rules: Iterable[Rule], *, method: str, path: str, again: bool = False) -> Rule | None:
    """Return the one rule that counts a request: the closest; of two alike the later one.

    Args:
        rules: all of them.
        method: of the request.
        path: of the request.
        again: somebody comes back to a stream.
    """
    best: tuple[tuple[bool, int, bool], Rule] | None = None
    for rule in rules:
        weight = rule.weight(method, path) if again or not rule.again else None
        if weight is None:
            continue
        rank = (rule.again, *weight)
        if best is None or rank >= best[0]:
            best = rank, rule
    return best[1] if best else None


def parse_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Read a network, or one address as a network of its own.

    Raises:
        ValueError: it is neither.
    """
    return ipaddress.ip_network(text, strict=False)


_network: Final = lru_cache(maxsize=1024)(parse_network)


def is_in(address: str, networks: Sequence[str]) -> bool:
    """Say whether ``address`` lies in one of ``networks``; no address is ``unix``."""
    found = _parsed(address)
    if found is None:
        return not address and "unix" in networks
    return any(
        found.version == network.version and found in network
        for network in map(_network, (text for text in networks if text != "unix"))
    )


def _parsed(text: str) -> IPAddress | None:
    bare = text.strip().partition("%")[0]
    return _address(bare) if len(bare) <= _LONGEST_ADDRESS else None


@lru_cache(maxsize=4096)
def _address(text: str) -> IPAddress | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        return found.ipv4_mapped
    return found


def client_address(peer: str, forwarded: str, *, trusted: Sequence[str]) -> str:
    """Return who asks, behind front proxies that are trusted.

    Args:
        peer: the other end of the connection; empty for a Unix socket.
        forwarded: ``X-Forwarded-For``, believed only from right to left, and only as far as
            the addresses are of trusted proxies.
        trusted: their networks.
    """
    address = peer
    for step in reversed(forwarded.split(",") if forwarded else []):
        if not is_in(address, trusted):
            break
        if _parsed(step) is None:  # nonsense: whoever sent it is the last one known
            break
        address = step.strip()
    return str(_parsed(address) or "")


def counted_as(address: str) -> str:
    """Return the name under which an address is counted."""
    found = _parsed(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, _V6_PREFIX), strict=False))
    return str(found or "unix")
