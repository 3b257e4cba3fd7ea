"""What a proxy of the sandbox is like: its protocol, its manners, where it leaves from."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle, islice


class Protocol(StrEnum):
    """What a proxy speaks with its clients; socks4 includes 4a."""

    HTTP = "http"
    SOCKS4 = "socks4"
    SOCKS5 = "socks5"


class ProxyKind(StrEnum):
    """How a proxy behaves."""

    ELITE = "elite"
    ANONYMOUS = "anonymous"
    TRANSPARENT = "transparent"
    REFUSED = "refused"
    BLACK_HOLE = "black_hole"
    SLOW = "slow"
    LYING = "lying"
    BAD_GATEWAY = "bad_gateway"
    TLS_INTERCEPTING = "tls_intercepting"
    BANNED = "banned"


_HTTP_ONLY = frozenset({ProxyKind.ANONYMOUS, ProxyKind.TRANSPARENT, ProxyKind.TLS_INTERCEPTING})
WORKING = frozenset(
    {
        ProxyKind.ELITE,
        ProxyKind.ANONYMOUS,
        ProxyKind.TRANSPARENT,
        ProxyKind.SLOW,
        ProxyKind.BANNED,
    }
)
"""Kinds through which an honest answer comes (slowly, or not from an exchange that bans it)."""


@dataclass(frozen=True, slots=True)
class ProxySpec:
    """One proxy.

    Attributes:
        exit_address: address it connects from, 127.0.0.0/8; the machine's choice where None.
        username: asked for as Basic credentials or by SOCKS5; SOCKS4 compares the user id.
        delay_s: wait before it answers; a slow one has one anyway.
        country: what lists say about it.
    """

    protocol: Protocol = Protocol.HTTP
    kind: ProxyKind = ProxyKind.ELITE
    exit_address: str | None = None
    username: str | None = None
    password: str | None = None
    delay_s: float = 0.0
    country: str = "DE"

    def __post_init__(self) -> None:
        if self.protocol is not Protocol.HTTP and self.kind in _HTTP_ONLY:
            raise ValueError(f"only an HTTP proxy can be {self.kind.value}")

    @property
    def works(self) -> bool:
        """Whether honest answers come through it."""
        return self.kind in WORKING


_USUAL = (
    ProxySpec(),
    ProxySpec(Protocol.SOCKS5),
    ProxySpec(kind=ProxyKind.ANONYMOUS),
    ProxySpec(),
    ProxySpec(kind=ProxyKind.REFUSED),
    ProxySpec(kind=ProxyKind.TRANSPARENT),
    ProxySpec(Protocol.SOCKS4),
    ProxySpec(username="millrace", password="sand@box:1"),  # noqa: S106 -- a made-up one
    ProxySpec(kind=ProxyKind.SLOW, delay_s=1.5),
    ProxySpec(kind=ProxyKind.BLACK_HOLE),
    ProxySpec(),
    ProxySpec(Protocol.SOCKS5, username="millrace", password="sand@box:1"),  # noqa: S106
    ProxySpec(kind=ProxyKind.LYING),
    ProxySpec(),
    ProxySpec(kind=ProxyKind.BANNED),
    ProxySpec(kind=ProxyKind.BAD_GATEWAY),
    ProxySpec(),
    ProxySpec(kind=ProxyKind.TLS_INTERCEPTING),
)
_COUNTRIES = ("DE", "US", "NL", "FR", "JP", "BR", "IN", "SG")


def exit_addresses() -> Iterator[str]:
    """Yield loopback addresses to leave from, 127.0.0.11 first, each once."""
    for third in range(256):
        for fourth in range(11, 251):
            yield f"127.0.{third}.{fourth}"


def mixed(count: int) -> list[ProxySpec]:
    """Return ``count`` proxies of all kinds, more good ones than bad, each with its own exit."""
    exits = exit_addresses()
    return [
        ProxySpec(
            protocol=usual.protocol,
            kind=usual.kind,
            exit_address=next(exits),
            username=usual.username,
            password=usual.password,
            delay_s=usual.delay_s,
            country=_COUNTRIES[number % len(_COUNTRIES)],
        )
        for number, usual in enumerate(islice(cycle(_USUAL), count))
    ]
