"""Handing in lists over REST: as text, JSON or a file; looked at first where asked."""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING, Any

import orjson
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.response import Response
from rest_framework.views import APIView

from project.core.api.callers import caller_of
from project.core.api.noting import noted
from project.core.api.parsing import JsonParser
from project.core.api.permissions import IsStaff
from project.core.api.schema import problem
from proxies import importing
from proxies.api.serializers import (
    ImportOptions,
    ImportRequest,
    PreviewOut,
    RunIdOut,
    UploadRequest,
)
from proxies.choices import ListFormat
from proxies.parsing import ListOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rest_framework.request import Request

_UNREADABLE = {
    (422, "application/problem+json"): problem(
        "unreadable_list", 422, "The list can't be read, or is empty"
    )
}


class TextParser(BaseParser):
    """A body that is the list itself."""

    media_type = "text/*"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the body as a file."""
        return importing.read(stream)


def _is_for_good(request: Request) -> bool:
    asked = ImportOptions(data=request.query_params)
    return asked.is_valid() and not asked.validated_data["dry_run"]


class Import(APIView):
    """Taking over a list."""

    permission_classes = (IsStaff,)
    parser_classes = (JsonParser, TextParser, MultiPartParser)

    @extend_schema(
        operation_id="proxies_import",
        summary="Import a list, or with dry_run see what would be taken and what not",
        parameters=[ImportOptions],
        request={
            "text/plain": OpenApiTypes.STR,
            "application/json": ImportRequest,
            "multipart/form-data": UploadRequest,
        },
        responses={200: PreviewOut, 202: RunIdOut, **_UNREADABLE},
    )
    @noted("Imported proxies", when=_is_for_good)
    def post(self, request: Request) -> Response:
        asked = ImportOptions(data=request.query_params)
        asked.is_valid(raise_exception=True)
        file, is_json = _handed_in(request)
        wanted = asked.validated_data
        options = ListOptions(ListFormat.JSON if is_json else wanted["format"], wanted["protocol"])
        with file:
            if wanted["dry_run"]:
                tally = importing.preview(file, options)
                found = {
                    "accepted": tally.accepted,
                    "duplicates": tally.duplicates,
                    "rejected": tally.samples,
                }
                return Response(PreviewOut(found).data)
            run = importing.submit(file, options, by=caller_of(request), now=timezone.now())
        return Response({"run_id": run.pk}, status=status.HTTP_202_ACCEPTED)


def _handed_in(request: Request) -> tuple[IO[bytes], bool]:
    """Return the list as a file, and whether it is JSON that we wrote ourselves."""
    data: Any = request.data
    if (request.content_type or "").startswith("text/"):
        # without a body no parser is asked
        return (data if isinstance(data, io.IOBase) else importing.read_text("")), False  # type: ignore[return-value]
    if isinstance(data, list):
        return importing.read(io.BytesIO(orjson.dumps(data))), True
    if request.FILES or (request.content_type or "").startswith("multipart/"):
        upload = UploadRequest(data=data)
        upload.is_valid(raise_exception=True)
        return importing.read(upload.validated_data["file"]), False
    body = ImportRequest(data=data)
    body.is_valid(raise_exception=True)
    if "proxies" in body.validated_data:
        return importing.read(io.BytesIO(orjson.dumps(body.validated_data["proxies"]))), True
    return importing.read_text(body.validated_data["text"]), False
