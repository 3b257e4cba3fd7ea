"""Reading one endpoint with what stands around it: scheme, user and password, country."""

import contextlib
import ipaddress
import re
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qs, unquote

from proxies.choices import Scheme
from proxies.parsing import hosts
from proxies.parsing.found import PROTOCOLS, Candidate, RefusedError
from proxies.parsing.words import country_of, is_about

_MAX_FIELD: Final = 255
_PAIR: Final = 2
_TRIPLE: Final = 3
#: Links by which a messenger shares SOCKS proxies.
_SHARED: Final = re.compile(r"(?:t\.me/|telegram\.me/)?socks/?\?(?P<query>.+)")


def of_url(scheme: str, rest: str) -> Candidate:
    """Read what stands behind ``scheme://``.

    Raises:
        RefusedError: the scheme isn't known, it is the address of a page, or no endpoint.
    """
    if shared := _SHARED.fullmatch(rest):
        return _shared(shared["query"])
    known = PROTOCOLS.get(scheme.lower())
    if known is None:
        raise RefusedError("unknown_scheme")
    before, mark, after = rest.rpartition("@")
    after, _, _ = after.partition("#")  # the name under which somebody shares it
    if known in {Scheme.SOCKS4, Scheme.SOCKS5}:
        after, _, _ = after.partition("?")
    after, slash, path = after.partition("/")
    if path or "?" in after:
        raise RefusedError("not_a_proxy")  # the address of a page
    if slash and not mark and ":" not in after:
        raise RefusedError("no_port")
    return authority(f"{before}{mark}{after}", known, is_url=True)


def _shared(query: str) -> Candidate:
    """Read ``t.me/socks?server=…&port=…&user=…&pass=…``."""
    given = {name: values[0] for name, values in parse_qs(query).items()}
    host, port = given.get("server", ""), given.get("port", "")
    found = candidate(Scheme.SOCKS5, f"[{host}]" if ":" in host else host, port)
    return with_login(found, given.get("user", ""), given.get("pass", ""))


def authority(text: str, scheme: str, *, is_url: bool = False) -> Candidate:
    """Read host and port with what may stand before or behind them.

    Args:
        text: ``host:port``, or one of the four orders of host, port, user and password.
        scheme: what the proxy speaks.
        is_url: a URL's rules hold: percent-encoding, names without a dot.

    Raises:
        RefusedError: no order makes sense; the reason is that of the likeliest.
    """
    if "@" in text:
        return _around_the_at(text, scheme, is_url=is_url)
    host, *rest = _split(text)
    if len(rest) <= 1:
        return candidate(scheme, host, rest[0] if rest else "", is_url=is_url)
    if len(rest) == _PAIR and host.lower() not in PROTOCOLS:
        found = candidate(scheme, host, rest[0], is_url=is_url)
        if is_about(rest[1]):
            return with_extras(found, [rest[1]])
        return with_login(found, rest[1], "", is_url=is_url)
    return _colons(scheme, [host, *rest], is_url=is_url)


def _split(text: str) -> list[str]:
    """Split at colons, but for those of an IPv6 address in brackets."""
    if text.startswith("["):
        address, _, rest = text.partition("]")
        if rest and not rest.startswith(":"):
            raise RefusedError("not_a_proxy")
        return [f"{address}]", *rest[1:].split(":")]
    if _is_bare_ipv6(text):
        raise RefusedError("bad_address")  # where does the address end, where the port begin?
    return text.split(":")


def _is_bare_ipv6(text: str) -> bool:
    if text.count(":") <= _TRIPLE and "::" not in text:
        return False
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _around_the_at(text: str, scheme: str, *, is_url: bool) -> Candidate:
    before, _, after = text.rpartition("@")
    try:
        found = _endpoint(scheme, after, is_url=is_url)
    except RefusedError as refused:
        first, _, login = text.partition("@")
        try:
            found = _endpoint(scheme, first, is_url=is_url)
        except RefusedError:
            raise refused from None
        before = login
    username, _, password = before.partition(":")
    return with_login(found, username, password, is_url=is_url)


def _endpoint(scheme: str, text: str, *, is_url: bool) -> Candidate:
    parts = _split(text)
    if len(parts) > _PAIR:
        raise RefusedError("not_a_proxy")
    return candidate(scheme, parts[0], "".join(parts[1:]), is_url=is_url)


def _colons(scheme: str, parts: list[str], *, is_url: bool) -> Candidate:
    """Read ``host:port:user:password`` or ``user:password:host:port``; either may hold colons."""
    if parts[0].lower() in PROTOCOLS and not is_url:
        with contextlib.suppress(RefusedError):  # else it is a user's name
            return authority(":".join(parts[1:]), str(PROTOCOLS[parts[0].lower()]))
    try:
        found = candidate(scheme, parts[0], parts[1], is_url=is_url)
    except RefusedError as refused:
        try:
            found = candidate(scheme, parts[-2], parts[-1], is_url=is_url)
        except RefusedError:
            raise refused from None
        return with_login(found, parts[0], ":".join(parts[1:-2]), is_url=is_url)
    names_kind = parts[2].lower() in PROTOCOLS or country_of(parts[2])
    if names_kind and all(is_about(part) for part in parts[3:]):
        return with_extras(found, parts[2:])
    return with_login(found, parts[2], ":".join(parts[3:]), is_url=is_url)


def candidate(scheme: str, host: str, port: str, *, is_url: bool = False) -> Candidate:
    """Return what a host and a port name.

    Raises:
        RefusedError: they name nothing that may be used.
    """
    found = hosts.host_of(host, is_url=is_url)
    return Candidate(scheme=str(scheme), host=found, port=hosts.port_of(port))


def with_login(
    found: Candidate, username: str, password: str, *, is_url: bool = False
) -> Candidate:
    """Return ``found`` with a user name and a password.

    Raises:
        RefusedError: they can be none.
    """
    if is_url:
        username, password = unquote(username), unquote(password)
    if max(len(username), len(password)) > _MAX_FIELD:
        raise RefusedError("too_long")
    if "\x00" in username + password:
        raise RefusedError("not_a_proxy")
    return replace(found, username=username, password=password)


def with_extras(found: Candidate, words: list[str]) -> Candidate:
    """Take a protocol and a country from the words behind an endpoint; others are passed over."""
    for word in words:
        if known := PROTOCOLS.get(word.lower()):
            found = replace(found, scheme=str(known))
        elif country := country_of(word):
            found = replace(found, country=country)
    return found
