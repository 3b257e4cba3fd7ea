"""The shape of a collector file: typed, strict, with ``${VAR}`` and ``${VAR:default}``.

``$${`` is a plain ``${``. An error names the key, its line and what was expected.
"""

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from markets import timeframes
from project.core.errors import FieldProblem, InvalidInputError

_PLACE: Final = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::([^}]*))?\}")
_MAX_CHARACTERS: Final = 200_000


class BadCollectorFileError(InvalidInputError):
    """The file is not a collector file; nothing of it was taken."""

    code = "bad_collector_file"
    title = "Not a collector file"


class UnsetVariableError(Exception):
    """A text names a variable that is not set and has no default."""


def expand(text: str, env: Mapping[str, str] | None = None) -> str:
    """Return ``text`` with ``${VAR}`` and ``${VAR:default}`` replaced.

    Raises:
        UnsetVariableError: a variable without a default is not set.
    """
    known = os.environ if env is None else env

    def value(found: re.Match[str]) -> str:
        if found[1] is None:
            return "${"
        if found[1] in known:
            return known[found[1]]
        if found[2] is None:
            raise UnsetVariableError(f"the variable {found[1]} is not set and has no default")
        return found[2]

    return _PLACE.sub(value, text)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Urls(_Part):
    """Addresses instead of the exchange's own; kept as written, expanded when used."""

    rest: str = ""
    ws: str = ""


class ExchangePart(_Part):
    """Which exchange, by ccxt's id."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9]{2,40}$")]
    urls: Urls = Urls()
    timeout_s: Annotated[float, Field(gt=0, le=300)] = 10


class SymbolPart(_Part):
    """One market and its timeframes."""

    symbol: Annotated[str, Field(pattern=r"^\S+/\S+$", max_length=60)]
    timeframes: Annotated[list[str], Field(min_length=1)]

    @field_validator("timeframes")
    @classmethod
    def known(cls, value: list[str]) -> list[str]:
        """Refuse unknown and repeated timeframes."""
        for name in value:
            if name not in timeframes.KNOWN:
                raise ValueError(f"{name!r} is none of {', '.join(timeframes.KNOWN)}")
        if len(set(value)) < len(value):
            raise ValueError("a timeframe is named twice")
        return value


class ModePart(_Part):
    """What is collected."""

    type: Literal["incremental", "range", "live"] = "incremental"
    start: datetime | None = None
    end: datetime | None = None

    @field_validator("start", "end")
    @classmethod
    def aware(cls, value: datetime | None) -> datetime | None:
        """Take moments without an offset for UTC."""
        if value is not None and value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value

    @model_validator(mode="after")
    def whole(self) -> "ModePart":
        """A range has two ends, in order."""
        if self.type == "range" and (self.start is None or self.end is None):
            raise ValueError("mode range needs start and end")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError("start must be before end")
        return self


class RequestPart(_Part):
    """Size of a request, and how many series at once."""

    limit: Annotated[int, Field(ge=2, le=10_000)] = 1000
    concurrency: Annotated[int, Field(ge=1, le=64)] = 4


class RatePart(_Part):
    """Requests in any so many seconds."""

    requests: Annotated[int, Field(ge=1, le=1_000_000)] = 1200
    per_s: Annotated[float, Field(gt=0, le=86_400)] = 60


class RetryPart(_Part):
    """Attempts at one request, and the waits between them."""

    attempts: Annotated[int, Field(ge=1, le=100)] = 5
    base_s: Annotated[float, Field(ge=0, le=3600)] = 1
    max_s: Annotated[float, Field(ge=0, le=3600)] = 60

    @model_validator(mode="after")
    def ordered(self) -> "RetryPart":
        """The longest wait isn't shorter than the first."""
        if self.max_s < self.base_s:
            raise ValueError("max_s must not be below base_s")
        return self


class ValidationPart(_Part):
    """What happens to rows that can't be right."""

    policy: Literal["reject", "skip_and_log", "retry", "keep_and_flag"] = "skip_and_log"
    price_jump_mad: Annotated[float, Field(gt=0, le=10_000)] = 12
    sparse: bool = False


class CollectorFile(_Part):
    """A whole collector file."""

    name: Annotated[str, Field(pattern=r"^[-a-zA-Z0-9_]{1,80}$")]
    exchange: ExchangePart
    symbols: Annotated[list[SymbolPart], Field(min_length=1)]
    mode: ModePart = ModePart()
    request: RequestPart = RequestPart()
    rate_limit: RatePart = RatePart()
    retry: RetryPart = RetryPart()
    validation: ValidationPart = ValidationPart()
    egress: Literal["direct", "proxy_preferred", "proxy_required"] = "direct"

    @field_validator("symbols")
    @classmethod
    def once(cls, value: list[SymbolPart]) -> list[SymbolPart]:
        """Refuse a symbol that is named twice."""
        names = [part.symbol for part in value]
        if len(set(names)) < len(names):
            raise ValueError("a symbol is named twice")
        return value


class _Loader(yaml.SafeLoader):
    """Reads YAML as text, numbers and truths; dates stay text, keys are named once."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key, _ in node.value:
        if key.value in seen:
            line = key.start_mark.line + 1
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key.value!r} is named twice (line {line})"
            )
        seen.add(key.value)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def read(
    text: str, *, name: str, env: Mapping[str, str] | None = None
) -> tuple[CollectorFile, dict[str, Any]]:
    """Return what a file says, typed, and the document as it was written.

    Args:
        text: the YAML.
        name: of the file, for errors.
        env: the variables; None: the environment's.

    Raises:
        BadCollectorFileError: names the file, line, key, and what was expected.
    """
    document, lines = _document(text, name)
    try:
        expanded = _expanded(document, env, ())
        return CollectorFile.model_validate(expanded), document
    except _UnsetError as error:
        raise _bad(name, lines, [(error.path, "unset_variable", str(error))]) from error
    except ValidationError as error:
        found = [(one["loc"], one["type"], _expected(one)) for one in error.errors()]
        raise _bad(name, lines, found) from error


def line_of(text: str, path: tuple[Any, ...]) -> int:
    """Return the line on which a key of a readable file stands, or the nearest above it; from 1."""
    lines: dict[tuple[Any, ...], int] = {}
    node = yaml.compose(text, Loader=_Loader) if text else None
    if node is not None:
        _note_lines(node, (), lines)
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _document(text: str, name: str) -> tuple[dict[str, Any], dict[tuple[Any, ...], int]]:
    if len(text) > _MAX_CHARACTERS:
        raise BadCollectorFileError(f"{name}: longer than {_MAX_CHARACTERS} characters")
    try:
        node = yaml.compose(text, Loader=_Loader)
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 -- derives from SafeLoader
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "no YAML"
        raise BadCollectorFileError(f"{name}{line}: {problem}") from error
    if not isinstance(document, dict) or node is None:
        raise BadCollectorFileError(f"{name}, line 1: expected keys such as name and exchange")
    lines: dict[tuple[Any, ...], int] = {}
    _note_lines(node, (), lines)
    return document, lines


def _note_lines(node: yaml.Node, path: tuple[Any, ...], lines: dict[tuple[Any, ...], int]) -> None:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            lines[(*path, key.value)] = key.start_mark.line + 1
            _note_lines(value, (*path, key.value), lines)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _note_lines(value, (*path, number), lines)


class _UnsetError(Exception):
    def __init__(self, path: tuple[Any, ...], message: str) -> None:
        super().__init__(message)
        self.path = path


def _expanded(value: Any, env: Mapping[str, str] | None, path: tuple[Any, ...]) -> Any:
    """Replace variables everywhere but in the urls, which are expanded when they are used."""
    if isinstance(value, dict):
        return {key: _expanded(inner, env, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_expanded(inner, env, (*path, number)) for number, inner in enumerate(value)]
    if not isinstance(value, str) or path[:2] == ("exchange", "urls"):
        return value
    try:
        found = expand(value, env)
    except UnsetVariableError as error:
        raise _UnsetError(path, str(error)) from error
    # what a variable stood for is typed as if it had been written there
    return found if found == value else _scalar(found)


def _scalar(text: str) -> Any:
    try:
        found = yaml.load(text, Loader=_Loader)  # noqa: S506 -- derives from SafeLoader
    except yaml.YAMLError:
        return text
    return text if isinstance(found, dict | list) else found


def _expected(problem: Any) -> str:
    if problem["type"] == "missing":
        return "is missing"
    if problem["type"] == "extra_forbidden":
        return "there is no such key"
    message = str(problem["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _bad(
    name: str,
    lines: Mapping[tuple[Any, ...], int],
    found: list[tuple[tuple[Any, ...], str, str]],
) -> BadCollectorFileError:
    fields, texts = [], []
    for path, code, expected in found:
        known = path
        while known and known not in lines:
            known = known[:-1]
        key = ".".join(map(str, path)) or "file"
        fields.append(FieldProblem(key, code, expected))
        texts.append(f"{name}, line {lines.get(known, 1)}, {key}: {expected}")
    return BadCollectorFileError("\n".join(texts), fields=tuple(fields))
