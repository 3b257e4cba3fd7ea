"""What of a candle file is stored: looked through first, then put in; by command or by a run."""

import re
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from markets import checking, configuring, kinds, storing, summarising, timeframes
from markets.adapters import venues, wire
from markets.adapters.files import opening
from markets.adapters.files.lines import BadCandleFileError, Batch
from markets.checking import Asked
from markets.choices import Policy, Source
from markets.models import Candle, Market, Series
from markets.rows import Row
from markets.storing import Stored
from markets.timeframes import Timeframe
from project.core import runs
from project.core.callers import Caller
from project.core.choices import UNENDED
from project.core.errors import FieldProblem, InvalidInputError
from project.core.models import Run
from project.core.moments import from_ms, stamp, to_ms
from project.core.working import Work

#: Lines that were left out and are shown.
SHOWN: Final = 20
#: A file that staff upload.
MOST_UPLOADED: Final = 512 * 1024 * 1024
#: An uploaded file that nobody stores is forgotten after so long.
KEPT: Final = timedelta(days=2)
_SYMBOL: Final = re.compile(r"[^\s/:\x00-\x1f]{1,30}/[^\s/\x00-\x1f]{1,29}")


class BadMarketError(InvalidInputError):
    """That is no name of a market."""

    code = "bad_market"
    title = "Not a market"


@dataclass
class Survey:
    """What a file holds, and what would become (or became) of it.

    Attributes:
        read: lines of candles, good or not.
        new, same, changed: how the good ones compare with what is stored.
        far: of the changed ones, those whose close differs by a tenth or more (``survey`` alone).
        left_out: how many lines were not taken, by kind.
        examples: some of those: line, and what is wrong.
        first_ms, last_ms: when its first and last good candle open.
    """

    name: str
    form: str
    checksum: str = "none"
    read: int = 0
    new: int = 0
    same: int = 0
    changed: int = 0
    far: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[int, str]] = field(default_factory=list)
    first_ms: int | None = None
    last_ms: int | None = None
    distinct: int = 0

    def told(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        found = asdict(self)
        for end in ("first", "last"):
            moment = found.pop(f"{end}_ms")
            found[end] = None if moment is None else stamp(from_ms(moment))
        return {**found, "left_out": dict(self.left_out)}

    @property
    def is_another_market(self) -> bool:
        """Whether all candles that are stored already differ so much that the file is odd."""
        return self.far >= checking.OTHER_MARKET_ROWS and self.far == self.same + self.changed

    def missing(self, grid: Timeframe) -> int:
        """Return how many candles lack between its first and its last."""
        if self.first_ms is None or self.last_ms is None:
            return 0
        return max(0, grid.count(self.first_ms, grid.after(self.last_ms)) - self.distinct)


def series_for(name: str, timeframe: str) -> Series:
    """Return the series of ``exchange:BASE/QUOTE`` in a timeframe; made where it is new.

    Raises:
        BadMarketError: that is no name of a market.
        UnknownTimeframeError: there is no such timeframe.
        UnknownExchangeError: ccxt knows no such exchange.
    """
    timeframes.of(timeframe)
    exchange, _, symbol = name.partition(":")
    if not exchange or not _SYMBOL.fullmatch(symbol):
        raise BadMarketError(
            f"{name!r} is no market; write e.g. binance:BTC/USDT",
            fields=(FieldProblem("market", "bad_market", "exchange:BASE/QUOTE"),),
        )
    if not venues.is_known(exchange):
        raise wire.UnknownExchangeError(f"ccxt knows no exchange {exchange!r}")
    base, _, quote = symbol.partition("/")
    market, _ = Market.objects.get_or_create(
        exchange=configuring.exchange_of(exchange),
        symbol=symbol,
        defaults={"base": base, "quote": quote.partition(":")[0]},
    )
    return Series.objects.get_or_create(market=market, timeframe=timeframe)[0]


def survey(path: Path, series: Series, *, now: datetime, name: str = "", told: str = "") -> Survey:
    """Look a file through and store nothing.

    Args:
        path: the file.
        series: what its candles would be put into.
        now: the moment, UTC: candles that haven't ended are not final.
        name: what it is called, where ``path`` is called otherwise.
        told: text of its CHECKSUM file; empty where there is none.

    Raises:
        BadCandleFileError: it can't be read as a whole, or isn't the file of that checksum.
    """
    found = _begun(path, name or path.name, told)
    for rows in _good(path, series, found, now):
        _compare(series, rows, found)
    return _ended(found)


def load(
    path: Path,
    *,
    series: Series,
    now: datetime,
    name: str = "",
    told: str = "",
    work: Work | None = None,
) -> tuple[Stored, Survey]:
    """Store the candles of a file, ten thousand at a time; taking it again changes nothing.

    Lines that can't be candles are left out and told; a file that breaks off stops the import,
    and what came before it stays. Arguments as ``survey``; ``work`` is told how far it is.

    Raises:
        BadCandleFileError: it can't be read, or isn't the file of that checksum.
    """
    found, total = _begun(path, name or path.name, told), Stored()
    for rows in _good(path, series, found, now):
        total += storing.upsert_candles(
            series_id=series.pk, rows=rows, source=Source.IMPORT, now=now
        )
        summarising.mark(series.pk, rows[0].open_time, rows[-1].open_time + 1)
        if work is not None:
            left = sum(found.left_out.values())
            work.report(phase="storing", counts={"candles": total.offered, "left_out": left})
    found.new, found.changed = total.inserted, total.updated
    found.same = total.offered - total.inserted - total.updated
    return total, _ended(found)


def _begun(path: Path, name: str, told: str) -> Survey:
    found = Survey(name, opening.form_of(path))
    if told:
        opening.require_checksum(path, told, name)
        found.checksum = "verified"
    return found


def _ended(found: Survey) -> Survey:
    if not found.read:
        raise BadCandleFileError(f"{found.name}: no candle in it")
    if found.first_ms is None:
        line, why = found.examples[0]
        raise BadCandleFileError(f"{found.name}, line {line}: {why}; no line of it is a candle")
    return found


def _good(path: Path, series: Series, found: Survey, now: datetime) -> Iterator[list[Row]]:
    """Yield the rows that can be stored, ascending; count the others."""
    grid, now_ms = timeframes.of(series.timeframe), to_ms(now)
    before: int | None = None
    for batch in opening.batches(path, found.name):
        if found.read == 0:
            _require_step(batch, grid, found.name)
        found.read += len(batch)
        _leave_out(found, "unreadable", batch.faults)
        rows = _checked(batch, series, grid, found)
        if not rows:
            continue
        for place in range(len(rows) - 1, -1, -1):  # only the last can be unfinished
            if grid.after(rows[place].open_time) <= now_ms:
                break
            rows[place] = rows[place]._replace(final=False)
        moments = [row.open_time for row in rows]
        found.distinct += len(moments) - (moments[0] == before)
        before = moments[-1]
        found.first_ms = moments[0] if found.first_ms is None else min(found.first_ms, moments[0])
        found.last_ms = max(found.last_ms or 0, moments[-1])
        yield rows


def _checked(batch: Batch, series: Series, grid: Timeframe, found: Survey) -> list[Row]:
    if not batch.rows:
        return []
    moments = [row.open_time for row in batch.rows]
    asked = Asked(series.market.symbol, grid, min(moments), max(moments) + 1)
    page = checking.check(batch.rows, asked, policy=Policy.SKIP)
    if page.seen:
        lines = dict(zip(moments, batch.numbers, strict=True))
        for one in page.seen:
            left = [(lines.get(one.start_ms, batch.numbers[0]), one.kind.label)]
            _leave_out(found, one.kind.value, left * one.count)
    return page.rows


def _leave_out(found: Survey, kind: str, lines: Iterable[tuple[int, str]]) -> None:
    for line in lines:
        found.left_out[kind] += 1
        if len(found.examples) < SHOWN:
            found.examples.append(line)


def _require_step(batch: Batch, grid: Timeframe, name: str) -> None:
    """Refuse a file whose candles are shorter than those of the series that it is meant for."""
    moments = sorted({row.open_time for row in batch.rows})
    steps = Counter(after - one for one, after in pairwise(moments))
    usual = steps.most_common(1)[0][0] if steps else grid.step_ms
    if usual < grid.step_ms:
        raise BadCandleFileError(
            f"{name}: its candles are {usual / 1000:g} s apart; those of {grid.name} are not"
        )


def _compare(series: Series, rows: list[Row], found: Survey) -> None:
    names = ("open_time", "open", "high", "low", "close", "volume")
    span = Candle.objects.filter(series=series).within(rows[0].open_time, rows[-1].open_time + 1)
    stored = {row[0]: row for row in span.values_list(*names)}
    for row in rows:
        old = stored.get(row.open_time)
        if old is None:
            found.new += 1
        elif old == row[:6]:
            found.same += 1
        else:
            found.changed += 1
            found.far += abs(row.close - old[4]) >= checking.OTHER_MARKET * abs(old[4])


def keep(pieces: Iterable[bytes]) -> str:
    """Keep an uploaded file for a run; return the word by which it is found again.

    Raises:
        BadCandleFileError: it is longer than ``MOST_UPLOADED``.
    """
    word, left = uuid.uuid4().hex, MOST_UPLOADED
    _folder().mkdir(parents=True, exist_ok=True)
    with _path(word).open("wb") as file:
        for piece in pieces:
            left -= len(piece)
            if left < 0:
                drop(word)
                raise BadCandleFileError(f"the file is longer than {MOST_UPLOADED:,} bytes")
            file.write(piece)
    return word


def kept(word: str) -> Path:
    """Return where an uploaded file is.

    Raises:
        BadCandleFileError: it isn't there (any more).
    """
    path = _path(word)
    if not path.is_file():
        raise BadCandleFileError("the uploaded file is gone; upload it again")
    return path


def drop(word: str) -> None:
    """Forget an uploaded file."""
    _path(word).unlink(missing_ok=True)


def sweep(*, now: datetime) -> int:
    """Forget uploaded files that nobody stored for ``KEPT``; return how many.

    Those that were only looked through, and those whose run failed; never one that a run needs.
    """
    unended = Run.objects.filter(kind=kinds.IMPORT.name, status__in=UNENDED)
    needed = {run["word"] for run in unended.values_list("payload", flat=True)}
    limit, swept = (now - KEPT).timestamp(), 0
    for path in _folder().glob("*.candles"):
        if path.stem not in needed and path.stat().st_mtime < limit:
            path.unlink(missing_ok=True)
            swept += 1
    return swept


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "imports"


def _path(word: str) -> Path:
    return _folder() / f"{uuid.UUID(word).hex}.candles"


def ask(word: str, *, name: str, series: Series, told: str, by: Caller, now: datetime) -> Run:
    """Ask for a run that stores an uploaded file (see ``keep``).

    Raises:
        AlreadyRunningError: this very file is being stored.
    """
    kept(word)
    wanted = runs.Ask(
        kind=kinds.IMPORT.name,
        subject=f"{series} from {name}",
        about=("markets.series", series.pk),
        payload={"word": word, "name": name, "series_id": series.pk, "checksum": told},
        exclusive_key=f"import:{word}",
    )
    return runs.submit(wanted, by=by, now=now)


def run(work: Work) -> None:
    """Do a run of ``markets.import``: store the file, tell what was left out, forget the file."""
    wanted = work.payload
    series = Series.objects.select_related("market__exchange").get(pk=wanted["series_id"])
    facts = {"name": wanted["name"], "told": wanted["checksum"]}
    path = kept(wanted["word"])
    total, found = load(path, series=series, now=timezone.now(), work=work, **facts)
    left = sum(found.left_out.values())
    counts = {"new": total.inserted, "changed": total.updated, "left_out": left}
    work.report(phase="done", progress=100, counts={"candles": total.offered, **counts})
    work.event("survey", found.told())
    drop(wanted["word"])
    if left:
        kinds_told = ", ".join(f"{count} {kind}" for kind, count in found.left_out.items())
        work.leave_partial(f"{left} of {found.read} lines were left out: {kinds_told}")
