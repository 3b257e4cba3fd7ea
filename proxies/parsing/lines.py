"""Reading one line of a list, whatever its form."""

import ipaddress
import re
from dataclasses import replace
from typing import Final
from urllib.parse import unquote

from proxies.parsing import hosts
from proxies.parsing.found import PROTOCOLS, Candidate, RefusedError

_URL: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>\S+)(?P<tail>.*)")
_EMBEDDED: Final = re.compile(
    r"(?:https?|socks[45]?[ah]?)://[^\s,;|\"'<>]+"
    r"|(?<![\w.@:/-])\d{1,3}(?:\.\d{1,3}){3}:\d{1,5}(?![\w.:@])",
    re.IGNORECASE,
)
_NETWORK: Final = re.compile(r"(?P<network>\d+(?:\.\d+){3}/\d+)(?::(?P<port>\d+))?")
_FLAGS: Final = re.compile(r"(?P<country>[A-Z]{2})-[NAH](?:-S)?!?")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_COMMENTS: Final = ("#", "//", ";")
_MAX_FIELD: Final = 255
_PAIR: Final = 2
_TRIPLE: Final = 3


def parse_line(text: str, *, default_scheme: str) -> list[Candidate]:
    """Return the proxies that one line names; none where it is blank or a comment.

    Raises:
        RefusedError: it names none that may be used.
    """
    line = text.strip("\ufeff \t\r\n\x00\"'").rstrip(",;")
    if not line.split() or line.startswith(_COMMENTS):
        return []
    if found := _URL.fullmatch(line):
        return [_with_extras(_url(found["scheme"], found["rest"]), found["tail"].split())]
    if found := _NETWORK.match(line):
        return _network(found, line[found.end() :], default_scheme)
    return _plain(line, default_scheme)


def _plain(line: str, default_scheme: str) -> list[Candidate]:
    words = line.split()
    reasons = []
    if ":" in words[0]:
        try:
            return [_with_extras(authority(words[0], scheme=default_scheme), words[1:])]
        except RefusedError as refused:
            reasons.append(refused.reason)
    try:
        return [_columns(re.split(r"[\s,;|]+", line), default_scheme)]
    except RefusedError as refused:
        reasons.append(refused.reason)
    reasons = [reason for reason in reasons if reason != "not_a_proxy"]
    return _embedded(line, default_scheme, reasons[0] if reasons else "")


def _embedded(line: str, default_scheme: str, reason: str) -> list[Candidate]:
    """Find proxies in a line of prose; none found refuses the line."""
    found = []
    for match in _EMBEDDED.finditer(line):
        url = _URL.fullmatch(match[0].rstrip(".,)"))
        try:
            found.append(
                _url(url["scheme"], url["rest"]) if url else authority(match[0], default_scheme)
            )
        except RefusedError as refused:
            reason = reason or ("" if url else refused.reason)
    if not found or reason:
        raise RefusedError(reason or "not_a_proxy")
    return found


def _url(scheme: str, rest: str) -> Candidate:
    known = PROTOCOLS.get(scheme.lower())
    if known is None:
        raise RefusedError("unknown_scheme")
    before, mark, after = rest.rpartition("@")
    after, slash, path = after.partition("/")
    if path or "?" in after or "#" in after:
        raise RefusedError("not_a_proxy")  # the address of a page
    if slash and not mark and ":" not in after:
        raise RefusedError("no_port")
    return authority(f"{before}{mark}{after}", known, is_url=True)


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
        return _candidate(scheme, host, rest[0] if rest else "", is_url=is_url)
    if len(rest) == _PAIR:
        return _with_third(_candidate(scheme, host, rest[0], is_url=is_url), rest[1])
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
    return _with_login(found, username, password, is_url=is_url)


def _endpoint(scheme: str, text: str, *, is_url: bool) -> Candidate:
    parts = _split(text)
    if len(parts) > _PAIR:
        raise RefusedError("not_a_proxy")
    return _candidate(scheme, parts[0], "".join(parts[1:]), is_url=is_url)


def _colons(scheme: str, parts: list[str], *, is_url: bool) -> Candidate:
    """Read ``host:port:user:password`` or ``user:password:host:port``; either may hold colons."""
    try:
        found = _candidate(scheme, parts[0], parts[1], is_url=is_url)
        return _with_login(found, parts[2], ":".join(parts[3:]), is_url=is_url)
    except RefusedError as refused:
        try:
            found = _candidate(scheme, parts[-2], parts[-1], is_url=is_url)
        except RefusedError:
            raise refused from None
        return _with_login(found, parts[0], ":".join(parts[1:-2]), is_url=is_url)


def _candidate(scheme: str, host: str, port: str, *, is_url: bool) -> Candidate:
    found = hosts.host_of(host, is_url=is_url)
    return Candidate(scheme=str(scheme), host=found, port=hosts.port_of(port))


def _with_login(found: Candidate, username: str, password: str, *, is_url: bool) -> Candidate:
    if is_url:
        username, password = unquote(username), unquote(password)
    if max(len(username), len(password)) > _MAX_FIELD:
        raise RefusedError("too_long")
    if "\x00" in username + password:
        raise RefusedError("not_a_proxy")
    return replace(found, username=username, password=password)


def _with_third(found: Candidate, third: str) -> Candidate:
    """Read what stands behind ``host:port:``; a protocol, a country or a user name."""
    if third.lower() in PROTOCOLS or _COUNTRY.fullmatch(third):
        return _with_extras(found, [third])
    return _with_login(found, third, "", is_url=False)


def _with_extras(found: Candidate, words: list[str]) -> Candidate:
    """Take a protocol and a country from the words behind an endpoint; flags are passed over."""
    for word in words:
        if known := PROTOCOLS.get(word.lower()):
            found = replace(found, scheme=str(known))
        elif flags := _FLAGS.fullmatch(word):
            found = replace(found, country=flags["country"])
        elif _COUNTRY.fullmatch(word):
            found = replace(found, country=word)
    return found


def _columns(words: list[str], default_scheme: str) -> Candidate:
    """Read ``host port …`` or ``protocol host port …``, separated by anything."""
    words = [word.strip("\"'") for word in words if word.strip("\"'")]
    scheme = PROTOCOLS.get(words[0].lower()) if words else None
    if scheme is not None:
        return replace(_columns(words[1:], default_scheme), scheme=str(scheme))
    if words and ":" in words[0]:
        return _with_extras(authority(words[0], scheme=default_scheme), words[1:])
    if not words:
        raise RefusedError("not_a_proxy")
    found = _candidate(default_scheme, words[0], "".join(words[1:2]), is_url=False)
    return _with_extras(found, words[2:])


def _network(found: re.Match[str], rest: str, default_scheme: str) -> list[Candidate]:
    words = rest.split()
    port = found["port"] or (words.pop(0) if words else "")
    number = hosts.port_of(port)
    addresses = list(hosts.network_hosts(found["network"]))
    made = [_candidate(default_scheme, each, str(number), is_url=False) for each in addresses]
    return [_with_extras(each, words) for each in made]
