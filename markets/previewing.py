"""What collector files would change, before anything of them is taken; and taking them all or none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction

from markets import collectorfiles, configuring
from markets.collectorfiles import BadCollectorFileError
from markets.configuring import Loaded
from markets.models import CollectorConfig, Series

#: Files that one import takes at most.
MOST_FILES: Final = 200


@dataclass(frozen=True, slots=True)
class Change:
    """A key that would change; None: it isn't said."""

    key: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of one file.

    Attributes:
        file: its name.
        collector: the collector's; empty where it can't be told.
        state: ``new``, ``changed``, ``unchanged`` or ``bad``.
        changes: keys, for a new collector those that a default doesn't give.
        series: those that would be new, e.g. ``binance:BTC/USDT 1m``.
        problems: lines that name file, line, key and what was expected.
    """

    file: str
    collector: str = ""
    state: str = "bad"
    changes: tuple[Change, ...] = ()
    series: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def preview(
    files: Sequence[tuple[str, str]], *, env: Mapping[str, str] | None = None
) -> list[Preview]:
    """Return what would become of files (name, text), in their order; nothing is written.

    Raises:
        BadCollectorFileError: there are none, or too many.
    """
    _require_number(files)
    found, names = [], dict[str, str]()
    for name, text in files:
        one = _preview(name, text, env)
        if one.collector in names:
            problem = (
                f"{name}, name: {names[one.collector]} is of the collector {one.collector}, too"
            )
            one = Preview(name, one.collector, problems=(problem,))
        if one.state != "bad":
            names[one.collector] = name
        found.append(one)
    return found


def take(files: Sequence[tuple[str, str]], *, env: Mapping[str, str] | None = None) -> list[Loaded]:
    """Take all files, or none.

    Raises:
        BadCollectorFileError: names what is wrong with each file that is; nothing was taken.
    """
    problems = [text for one in preview(files, env=env) for text in one.problems]
    if problems:
        raise BadCollectorFileError("\n".join(problems))
    with transaction.atomic():
        return [configuring.load(text, name=name, env=env) for name, text in files]


def _require_number(files: Sequence[tuple[str, str]]) -> None:
    if not files:
        raise BadCollectorFileError("expected a collector file, there is none")
    if len(files) > MOST_FILES:
        raise BadCollectorFileError(f"expected at most {MOST_FILES} files, not {len(files)}")


def _preview(name: str, text: str, env: Mapping[str, str] | None) -> Preview:
    try:
        wanted, file = configuring.wanted_of(text, name=name, env=env)
    except BadCollectorFileError as error:
        return Preview(name, problems=tuple(str(error).splitlines()))
    row = CollectorConfig.objects.select_related("exchange").filter(name=file.name).first()
    usual = CollectorConfig(name=file.name)
    changes = [
        Change(key, None if row is None else value, wanted[field])
        for key, field in configuring.KEYS.items()
        if (value := getattr(row or usual, field)) != wanted[field]
    ]
    before = None if row is None else row.exchange.name
    if before != file.exchange.id:
        changes.insert(0, Change("exchange.id", before, file.exchange.id))
    state = "new" if row is None else "changed" if changes else "unchanged"
    return Preview(name, file.name, state, tuple(changes), tuple(_new_series(file)))


def _new_series(file: collectorfiles.CollectorFile) -> list[str]:
    known = Series.objects.filter(market__exchange__name=file.exchange.id)
    pairs = set(known.values_list("market__symbol", "timeframe"))
    return [
        f"{file.exchange.id}:{part.symbol} {timeframe}"
        for part in file.symbols
        for timeframe in part.timeframes
        if (part.symbol, timeframe) not in pairs
    ]
