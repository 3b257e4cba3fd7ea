"""Reading one line of a list, whatever its form."""

import re
from dataclasses import replace
from typing import Final

from proxies.parsing import hosts
from proxies.parsing.authorities import authority, candidate, of_url, with_extras, with_login
from proxies.parsing.found import PROTOCOLS, Candidate, Piece, RefusedError
from proxies.parsing.words import is_about, is_figure

_URL: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>\S+)(?P<tail>.*)")
_EMBEDDED: Final = re.compile(
    r"(?:https?|socks[45]?[ah]?)://[^\s,;|\"'<>]+"
    r"|(?<![\w.@:/-])\d{1,3}(?:\.\d{1,3}){3}:\d{1,5}(?![\w.:@])",
    re.IGNORECASE,
)
#: How an endpoint begins that stands first in its line.
_HEAD: Final = re.compile(
    r"(?:https?|socks[45]?[ah]?)://|\d{1,3}(?:\.\d{1,3}){3}:\d{1,5}(?:\D|$)|\[[0-9A-Fa-f:]+\]:\d",
    re.IGNORECASE,
)
_NETWORK: Final = re.compile(r"(?P<network>\d+(?:\.\d+){3}/\d+)(?::(?P<port>\d+))?")
#: ``1.2.3.4 : 80``, and numbered lists.
_WIDE_COLON: Final = re.compile(r"^(\d{1,3}(?:\.\d{1,3}){3})\s*:\s*(?=\d)")
_NUMBERED: Final = re.compile(r"^\d{1,6}[.)]\s+(?=\S)")
_SEPARATORS: Final = re.compile(r"[\s,;|]+")
_COMMENTS: Final = ("#", "//", ";")
_PAIR: Final = 2
_LOGIN_COLUMNS: Final = 4
#: A number of so many digits is rather a password than a latency.
_LONG_NUMBER: Final = 4


def parse_line(text: str, *, default_scheme: str) -> list[Candidate | Piece]:
    """Return the proxies that one line names; none where it is blank or a comment.

    A line that names several and has one that is refused has a ``Piece`` for that.

    Raises:
        RefusedError: it names none that may be used.
    """
    line = text.strip("\ufeff \t\r\n\x00\"'").rstrip(",;")
    if not line.split() or line.startswith(_COMMENTS):
        return []
    line = _WIDE_COLON.sub(r"\1:", _NUMBERED.sub("", line))
    if len(groups := _groups(line)) > 1:
        return _several(groups, default_scheme)
    return list(_single(line, default_scheme))


def _single(line: str, default_scheme: str) -> list[Candidate]:
    if found := _URL.fullmatch(line):
        words = found["tail"].split()
        return [_with_words(of_url(found["scheme"], found["rest"]), words, is_table=False)]
    if found := _NETWORK.match(line):
        return _network(found, line[found.end() :], default_scheme)
    return _plain(line, default_scheme)


def _groups(line: str) -> list[str]:
    """Return what begins with each endpoint, where the line begins with one."""
    words = _SEPARATORS.split(line)
    heads = [at for at, word in enumerate(words) if _HEAD.match(word)]
    if len(heads) < _PAIR or heads[0]:
        return [line]
    ends = [*heads[1:], len(words)]
    return [" ".join(words[head:end]) for head, end in zip(heads, ends, strict=True)]


def _several(groups: list[str], default_scheme: str) -> list[Candidate | Piece]:
    found: list[Candidate | Piece] = []
    for group in groups:
        try:
            found += _single(group, default_scheme)
        except RefusedError as refused:
            found.append(Piece(group, refused.reason))
    return found


def _plain(line: str, default_scheme: str) -> list[Candidate]:
    words = line.split()
    label = PROTOCOLS.get(words[0].rstrip(":=").lower())
    if label is not None and len(words) > 1 and words[0][-1] in ":=":
        return _plain(line[len(words[0]) :].strip(), str(label))
    reasons = []
    if ":" in words[0]:
        try:
            found = authority(words[0], scheme=default_scheme)
            return [_with_words(found, words[1:], is_table="\t" in line)]
        except RefusedError as refused:
            reasons.append(refused.reason)
    try:
        return [_columns(line, default_scheme)]
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
                of_url(url["scheme"], url["rest"]) if url else authority(match[0], default_scheme)
            )
        except RefusedError as refused:
            reason = reason or ("" if url else refused.reason)
    if not found or reason:
        raise RefusedError(reason or "not_a_proxy")
    return found


def _columns(line: str, default_scheme: str) -> Candidate:
    """Read ``host port …``, ``protocol host port …`` or ``user,password,host,port``."""
    words = [word.strip("\"'") for word in _SEPARATORS.split(line) if word.strip("\"'")]
    scheme = PROTOCOLS.get(words[0].lower()) if words else None
    if scheme is not None:
        return replace(_of_words(words[1:], default_scheme), scheme=str(scheme))
    if len(words) == _LOGIN_COLUMNS and not line.split()[1:] and "." in words[2]:
        return with_login(candidate(default_scheme, words[2], words[3]), words[0], words[1])
    if len(words) == _PAIR and words[0].count(":") == 1 and ":" in words[1]:
        username, _, password = words[0].partition(":")
        if password:
            return with_login(authority(words[1], scheme=default_scheme), username, password)
    return _of_words(words, default_scheme)


def _of_words(words: list[str], default_scheme: str) -> Candidate:
    if words and ":" in words[0]:
        return _with_words(authority(words[0], scheme=default_scheme), words[1:], is_table=True)
    if not words:
        raise RefusedError("not_a_proxy")
    found = candidate(default_scheme, words[0], "".join(words[1:2]))
    return _with_words(found, words[2:], is_table=True)


def _with_words(found: Candidate, words: list[str], *, is_table: bool) -> Candidate:
    """Take user and password from the words behind an endpoint, else a protocol and a country.

    Two words that say nothing are a login in a table, and prose elsewhere.
    """
    if not found.username and not found.password:
        login = _login(words, is_table=is_table)
        if login is not None:
            return with_login(found, *login)
    return with_extras(found, words)


def _login(words: list[str], *, is_table: bool) -> tuple[str, str] | None:
    """Return user and password: ``user:password``, or two columns that say nothing else."""
    if len(words) == 1 and words[0].count(":") == 1:
        username, _, password = words[0].partition(":")
        if password and not any(map(_is_said, (username, password))):
            return username, password
    is_pair = is_table and len(words) == _PAIR and ":" not in "".join(words)
    return (words[0], words[1]) if is_pair and not any(map(_is_said, words)) else None


def _is_said(word: str) -> bool:
    """Say whether a word in a table is about the proxy, and no part of a login."""
    is_short = len(word) < _LONG_NUMBER or not word.isdigit()
    has_letters = any(letter.isalnum() for letter in word)
    return is_about(word) or not has_letters or (is_figure(word) and is_short)


def _network(found: re.Match[str], rest: str, default_scheme: str) -> list[Candidate]:
    words = rest.split()
    port = found["port"] or (words.pop(0) if words else "")
    number = hosts.port_of(port)
    addresses = list(hosts.network_hosts(found["network"]))
    made = [candidate(default_scheme, each, str(number)) for each in addresses]
    return [with_extras(each, words) for each in made]
