"""Which requests are answered wrongly, how, and how often."""

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from fnmatch import fnmatchcase


class FaultKind(StrEnum):
    """Every way in which a server of the sandbox can fail."""

    STATUS = "status"
    CHALLENGE = "challenge"
    HTML200 = "html200"
    EMPTY200 = "empty200"
    HANG = "hang"
    DISCONNECT = "disconnect"
    CUT_BODY = "cut_body"
    SLOW = "slow"
    REDIRECT = "redirect"
    NULL_ROWS = "null_rows"
    SHORT_PAGE = "short_page"
    INNER_HOLE = "inner_hole"
    DUPLICATE_ROWS = "duplicate_rows"
    OUT_OF_ORDER = "out_of_order"
    MISALIGNED = "misaligned"
    BAD_OHLC = "bad_ohlc"
    BAD_NUMBER = "bad_number"
    WRONG_SYMBOL = "wrong_symbol"


ROW_KINDS = frozenset(
    {
        FaultKind.NULL_ROWS,
        FaultKind.SHORT_PAGE,
        FaultKind.INNER_HOLE,
        FaultKind.DUPLICATE_ROWS,
        FaultKind.OUT_OF_ORDER,
        FaultKind.MISALIGNED,
        FaultKind.BAD_OHLC,
        FaultKind.BAD_NUMBER,
        FaultKind.WRONG_SYMBOL,
    }
)
"""Kinds that spoil the rows of a page of candles; the other kinds replace the whole answer."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a fault can be aimed at: who asked, and for what."""

    path: str
    client: str
    method: str = "GET"
    venue: str | None = None
    symbol: str | None = None
    timeframe: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong behaviour and the requests it is for; what is left out matches everything.

    Attributes:
        kind: what happens.
        path: pattern of the path, such as ``/api/v3/klines`` or ``*candles``.
        venue: ``binance`` or ``okx``.
        symbol: in any spelling: ``BTC/USDT``, ``BTCUSDT``, ``BTC-USDT``.
        timeframe: in our spelling: ``1m``, ``1h``.
        client: address the request comes from, as the server sees it.
        times: how many requests it hits, without end where None.
        after: how many matching requests pass unharmed first.
        delay_s: wait before the answer, with any kind.
        status: HTTP status of ``status``.
        retry_after_s: ``Retry-After`` of 429 and 418.
        banned_until_ms: end of the ban in the text of 418; worked out from ``retry_after_s``
            where it is left out.
        code: the exchange's own error code, where the usual one for the status is not meant.
        location: target of ``redirect``.
        rows: how many rows are touched (cut off, doubled, moved).
    """

    kind: FaultKind
    path: str | None = None
    venue: str | None = None
    symbol: str | None = None
    timeframe: str | None = None
    client: str | None = None
    times: int | None = None
    after: int = 0
    delay_s: float = 0.0
    status: int = 500
    retry_after_s: int | None = None
    banned_until_ms: int | None = None
    code: str | None = None
    location: str = "/"
    rows: int = 1

    def matches(self, facts: Facts) -> bool:
        """Say whether a request is one that this fault is for: rows want a page of candles."""
        return (
            (self.kind not in ROW_KINDS or facts.timeframe is not None)
            and (self.path is None or fnmatchcase(facts.path, self.path))
            and self.venue in (None, facts.venue)
            and self.timeframe in (None, facts.timeframe)
            and self.client in (None, facts.client)
            and (self.symbol is None or _plain(self.symbol) == _plain(facts.symbol or ""))
        )


def _plain(symbol: str) -> str:
    return symbol.replace("/", "").replace("-", "").upper()


def fault_from_json(body: object) -> Fault:
    """Read a fault as the control endpoint takes it.

    Raises:
        TypeError: it is no object.
        ValueError: it names an unknown field, or the kind is missing or unknown.
    """
    if not isinstance(body, Mapping):
        raise TypeError("a fault is a JSON object")
    unknown = set(body) - {each.name for each in fields(Fault)}
    if unknown:
        raise ValueError(f"unknown fields: {', '.join(sorted(map(str, unknown)))}")
    if "kind" not in body:
        raise ValueError("a fault needs its kind")
    return Fault(**{**body, "kind": FaultKind(body["kind"])})


@dataclass(slots=True)
class _Posted:
    """A fault on the board, and how often it matched and hit."""

    fault: Fault
    matched: int = 0
    hits: int = field(default=0)

    @property
    def spent(self) -> bool:
        return self.fault.times is not None and self.hits >= self.fault.times


class FaultBoard:
    """The faults that are switched on; usable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._posted: dict[int, _Posted] = {}
        self._last_id = 0

    def add(self, fault: Fault) -> int:
        """Switch a fault on and return its id."""
        with self._lock:
            self._last_id += 1
            self._posted[self._last_id] = _Posted(fault)
            return self._last_id

    def remove(self, fault_id: int) -> bool:
        """Switch one fault off; False where there is none of that id."""
        with self._lock:
            return self._posted.pop(fault_id, None) is not None

    def clear(self) -> None:
        """Switch all faults off."""
        with self._lock:
            self._posted.clear()

    def hits(self, fault_id: int) -> int:
        """Return how many requests a fault has hit so far."""
        with self._lock:
            return self._posted[fault_id].hits

    def pick(self, facts: Facts) -> Fault | None:
        """Return the fault that hits this request, and count it: the oldest that matches."""
        with self._lock:
            for posted in self._posted.values():
                if posted.spent or not posted.fault.matches(facts):
                    continue
                posted.matched += 1
                if posted.matched > posted.fault.after:
                    posted.hits += 1
                    return posted.fault
        return None

    def as_json(self) -> list[dict[str, object]]:
        """Return the faults with their ids and hits, oldest first."""
        with self._lock:
            return [
                {"id": fault_id, "hits": posted.hits, **asdict(posted.fault)}
                for fault_id, posted in self._posted.items()
            ]
