"""Candles over REST, streamed: chunk by chunk from the database, so that memory stays flat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.views import APIView

from markets import reading, timeframes
from markets.api import asking
from markets.api.serializers import CandlesOut
from markets.api.views import WRONG
from markets.reading import Reader, Window
from project.core.api.permissions import InMarkets
from project.core.hub import in_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from rest_framework.request import Request

#: Candles of a JSON answer for which no limit was asked; CSV has no limit by itself.
USUAL: Final = 1_000
MOST: Final = 10_000_000
FORMATS: Final = ("json", "csv")
_NAMES: Final = ("timeframe", "start", "end", "limit", "format", "fill")


class MarketCandles(APIView):
    """The candles of one market."""

    permission_classes = (InMarkets,)

    @extend_schema(
        operation_id="markets_candles",
        summary="Read the candles of a market",
        parameters=[
            OpenApiParameter("timeframe", enum=list(timeframes.KNOWN), default="1m"),
            OpenApiParameter("start", description="ISO 8601 or ms; inclusive"),
            OpenApiParameter("end", description="ISO 8601 or ms; exclusive"),
            OpenApiParameter(
                "limit", OpenApiTypes.INT, description="without a start: the last so many"
            ),
            OpenApiParameter("format", enum=list(FORMATS), default="json"),
            OpenApiParameter("fill", enum=["none", "previous"], default="none"),
        ],
        responses={
            (200, "application/json"): CandlesOut,
            (200, "text/csv"): OpenApiTypes.STR,
            **WRONG,
        },
    )
    def get(self, request: Request, market_id: int) -> HttpResponseBase:
        asking.require_known(request, _NAMES)
        market = reading.market_by_id(market_id)
        series = reading.series_of(market, request.query_params.get("timeframe", "1m"))
        form = asking.choice(request, "format", FORMATS, "json")
        limit = asking.number(request, "limit", most=MOST)
        window = Window(
            start_ms=asking.moment_ms(request, "start"),
            end_ms=asking.moment_ms(request, "end"),
            limit=USUAL if limit is None and form == "json" else limit,
            fill=asking.choice(request, "fill", ("none", "previous"), "none"),
        )
        reader = Reader(series, window)
        if form == "csv":
            answer = _streamed(request, _CsvParts(reader), "text/csv; charset=utf-8")
            name = f"{market}-{series.timeframe}.csv".replace("/", "_").replace(":", "_")
            answer["Content-Disposition"] = f'attachment; filename="{name}"'
            return answer
        head = {"market": str(market), "timeframe": series.timeframe}
        return _streamed(request, _JsonParts(reader, head, request), "application/json")


class _CsvParts:
    """A CSV file, piece by piece; an empty piece is the end."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._is_first = True

    def read(self) -> bytes:
        """Return the next piece."""
        told = reading.as_csv(self._reader.read())
        if self._is_first:
            self._is_first = False
            return reading.CSV_HEADING.encode() + b"\n" + told
        return told


class _JsonParts:
    """A JSON document, piece by piece; an empty piece is the end."""

    def __init__(self, reader: Reader, head: dict[str, Any], request: Request) -> None:
        self._reader = reader
        self._head = orjson.dumps(head)[:-1] + b',"candles":['
        self._request = request
        self._is_first = True
        self._is_over = False

    def read(self) -> bytes:
        """Return the next piece."""
        if self._is_over:
            return b""
        told = self._reader.read()
        piece = reading.as_json(told, is_first=self._is_first)
        if self._is_first:
            self._is_first = False
            piece = self._head + piece
        if not told:
            self._is_over = True
            piece += b'],"next":' + orjson.dumps(self._next()) + b"}"
        return piece

    def _next(self) -> str | None:
        if self._reader.next_ms is None:
            return None
        query = self._request.query_params.copy()
        query["start"] = str(self._reader.next_ms)
        return self._request.build_absolute_uri(f"{self._request.path}?{query.urlencode()}")


def _streamed(request: Request, parts: Any, content_type: str) -> StreamingHttpResponse:
    """Answer piece by piece; under ASGI without holding a thread or the request's connection."""
    first = parts.read()
    if isinstance(request._request, ASGIRequest):  # noqa: SLF001 -- DRF's way to Django's request
        return StreamingHttpResponse(_async(first, parts), content_type=content_type)
    return StreamingHttpResponse(_sync(first, parts), content_type=content_type)


def _sync(piece: bytes, parts: Any) -> Iterator[bytes]:
    while piece:
        yield piece
        piece = parts.read()


async def _async(piece: bytes, parts: Any) -> AsyncIterator[bytes]:
    # a stream may last: it borrows a connection for each piece, and holds none in between
    await sync_to_async(connections.close_all)()
    while piece:
        yield piece
        piece = await in_thread(parts.read)
