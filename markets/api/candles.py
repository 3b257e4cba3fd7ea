"""Candles over REST, streamed: chunk by chunk from the database, so that memory stays flat."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import orjson
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.views import APIView

from markets import reading, timeframes, writing
from markets.api import asking
from markets.api.serializers import CandlesOut
from markets.api.views import WRONG
from markets.reading import Reader, Window
from project.core.api.permissions import InMarkets
from project.core.hub import in_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from rest_framework.request import Request

#: Candles of a JSON answer for which no limit was asked; files have no limit by themselves.
USUAL: Final = 1_000
MOST: Final = 10_000_000
#: Candles of a JSON answer that are made of others: what they lack is told at its end.
MOST_MADE: Final = 100_000
FILES: Final = {
    "csv": (writing.Csv.content_type, "csv"),
    "parquet": ("application/vnd.apache.parquet", "parquet"),
    "arrow": ("application/vnd.apache.arrow.stream", "arrows"),
}
FORMATS: Final = ("json", *FILES)
_NAMES: Final = ("timeframe", "start", "end", "limit", "format", "fill")


class MarketCandles(APIView):
    """The candles of one market."""

    permission_classes = (InMarkets,)

    @extend_schema(
        operation_id="markets_candles",
        summary="Read the candles of a market",
        description=(
            "A timeframe that isn't kept is made of the finest kept one that divides it; the answer"
            " then has the heading `X-Resampled-From`, and tells for each candle how many of its"
            " parts are missing (JSON: `incomplete`; files: a column `missing`). A candle whose end"
            " isn't stored yet is not `final`. Nothing is made up unless `fill=previous` asks for"
            " it: such candles are flagged `filled`."
        ),
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
            (200, FILES["parquet"][0]): OpenApiTypes.BINARY,
            (200, FILES["arrow"][0]): OpenApiTypes.BINARY,
            **WRONG,
        },
    )
    def get(self, request: Request, market_id: int) -> HttpResponseBase:
        asking.require_known(request, _NAMES)
        market = reading.market_by_id(market_id)
        timeframe = request.query_params.get("timeframe", "1m")
        form = asking.choice(request, "format", FORMATS, "json")
        limit = asking.number(request, "limit", most=MOST)
        window = Window(
            start_ms=asking.moment_ms(request, "start"),
            end_ms=asking.moment_ms(request, "end"),
            limit=USUAL if limit is None and form == "json" else limit,
            fill=asking.choice(request, "fill", ("none", "previous"), "none"),
        )
        candles = reading.candles_of(market, timeframe)
        source = candles.source.timeframe if candles.source else ""
        if source and form == "json":
            window = replace(window, limit=min(window.limit or USUAL, MOST_MADE))
        reader = Reader(candles, window)
        if form == "json":
            head = {"market": str(market), "timeframe": timeframe}
            parts = _json(reader, head, request, source)
            answer = _streamed(request, parts, "application/json")
        else:
            content_type, ending = FILES[form]
            written = _written(form, is_filled=window.fill != "none", is_made=bool(source))
            answer = _streamed(request, writing.pieces(reader, written), content_type)
            name = re.sub(r"[^A-Za-z0-9.-]+", "_", f"{market}-{timeframe}.{ending}")
            answer["Content-Disposition"] = f'attachment; filename="{name}"'
        if source:
            answer["X-Resampled-From"] = source
        return answer


def _written(form: str, *, is_filled: bool, is_made: bool) -> writing.Form:
    if form == "csv":
        return writing.Csv(is_filled=is_filled, is_made=is_made)
    return writing.Columns(form, is_made=is_made)


def _json(reader: Reader, head: dict[str, Any], request: Request, source: str) -> Iterator[bytes]:
    """Yield a JSON document, piece by piece."""
    piece, is_first, lacks = orjson.dumps(head)[:-1] + b',"candles":[', True, []
    while told := reader.read():
        yield piece + writing.as_json(told, is_first=is_first)
        lacks += [[opened, count] for opened, count in reader.missing.items()]
        piece, is_first = b"", False
    foot: dict[str, Any] = {"next": _next(reader, request)}
    if source:
        foot |= {"resampled_from": source, "incomplete": lacks}
    yield piece + b"]," + orjson.dumps(foot)[1:]


def _next(reader: Reader, request: Request) -> str | None:
    if reader.next_ms is None:
        return None
    query = request.query_params.copy()
    query["start"] = str(reader.next_ms)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def _streamed(request: Request, parts: Iterator[bytes], content_type: str) -> StreamingHttpResponse:
    """Answer piece by piece; under ASGI without holding a thread or the request's connection."""
    first = next(parts, b"")
    if isinstance(request._request, ASGIRequest):  # noqa: SLF001 -- DRF's way to Django's request
        return StreamingHttpResponse(_async(first, parts), content_type=content_type)
    return StreamingHttpResponse(chain((first,), parts), content_type=content_type)


async def _async(piece: bytes, parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    # a stream may last: it borrows a connection for each piece, and holds none in between
    await sync_to_async(connections.close_all)()
    while piece:
        yield piece
        piece = await in_thread(next, parts, b"")
