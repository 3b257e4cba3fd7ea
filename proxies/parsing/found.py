"""What reading a list yields: candidates, and lines refused with their reason."""

import re
from dataclasses import dataclass, field
from typing import Final

from proxies.choices import ListFormat, Scheme
from proxies.identity import Identity, hash_password

#: Names of protocols as lists write them, and what they come to.
PROTOCOLS: Final = {
    "http": Scheme.HTTP,
    "https": Scheme.HTTPS,
    "socks4": Scheme.SOCKS4,
    "socks4a": Scheme.SOCKS4,
    "socks5": Scheme.SOCKS5,
    "socks5h": Scheme.SOCKS5,
    "socks": Scheme.SOCKS5,
}
_SAMPLE_CHARACTERS: Final = 120
_ENDPOINT: Final = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+):\d+")


class RefusedError(Exception):
    """The text is no proxy that may be used; ``reason`` is stable."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ListOptions:
    """How a list is to be read.

    Attributes:
        format: of the list; AUTO looks at its beginning.
        default_scheme: of entries that don't say theirs.
    """

    format: str = ListFormat.AUTO
    default_scheme: str = Scheme.HTTP


@dataclass(frozen=True, slots=True)
class Candidate:
    """A proxy as a list names it."""

    scheme: str
    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    country: str = ""

    @property
    def shown(self) -> str:
        """The proxy as people may see it: without its password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        login = f"{self.username}:***@" if self.username or self.password else ""
        return f"{self.scheme}://{login}{host}:{self.port}"

    @property
    def identity(self) -> Identity:
        """What makes it this proxy and no other."""
        hashed = hash_password(self.password)
        return (str(self.scheme), self.host, self.port, self.username, hashed)


@dataclass(frozen=True, slots=True)
class Refused:
    """A line, or entry, that is no proxy that may be used.

    Attributes:
        line: counted from 1.
        text: the line, without what may be a password.
        reason: stable, e.g. ``bad_port``.
    """

    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a line, or of an entry, that is refused while other parts are taken."""

    text: str
    reason: str


Found = Candidate | Refused


def masked(text: str) -> str:
    """Return ``text``, cut short, without what may be a user name or password."""
    separator = re.compile(r"([\s,;|]+)")
    words = separator.split(text.strip()[: _SAMPLE_CHARACTERS * 2])
    return "".join(_masked_word(word) for word in words)[:_SAMPLE_CHARACTERS]


def _masked_word(word: str) -> str:
    scheme, mark, rest = word.rpartition("://")
    if scheme.lower() not in {*PROTOCOLS, "", "ftp"} and not _ENDPOINT.match(rest):
        return f"{scheme}{mark}***"  # ss, vmess and their like write logins in letters of their own
    address, question, _ = rest.partition("?")
    if question:
        return f"{scheme}{mark}{_masked_word(address)}?***"
    if "@" in rest:
        left, _, right = rest.rpartition("@")
        rest = f"{_endpoint_or_stars(left)}@{_endpoint_or_stars(right)}"
    elif rest.count(":") > 1 and not rest.startswith("["):
        parts = rest.split(":")
        is_first = parts[1].isdigit()
        rest = f"{':'.join(parts[:2])}:***" if is_first else f"***:{':'.join(parts[-2:])}"
    return f"{scheme}{mark}{rest}"


def _endpoint_or_stars(text: str) -> str:
    return text if _ENDPOINT.fullmatch(text) else "***"
