"""What every operation of the OpenAPI document has in common: its problem answers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, OpenApiExample, OpenApiResponse
from rest_framework import serializers
from rest_framework.settings import api_settings

from project.core.api.permissions import Anybody


class FieldProblemOut(serializers.Serializer[Any]):
    """What is wrong with one field."""

    field = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemOut(serializers.Serializer[Any]):
    """An RFC 9457 problem document."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    code = serializers.CharField(help_text="stable; programs decide by it")
    request_id = serializers.CharField()
    # the name of DRF's own property: this one is never validated
    errors = FieldProblemOut(many=True, required=False)  # type: ignore[assignment]


def problem(code: str, status: int, description: str) -> OpenApiResponse:
    """Return a problem answer for ``extend_schema``, with an example."""
    example = OpenApiExample(
        code,
        value={
            "type": f"urn:millrace:problem:{code}",
            "title": description,
            "status": status,
            "detail": description,
            "instance": "/api/…",
            "code": code,
            "request_id": "5f2c…",
        },
        response_only=True,
        status_codes=[str(status)],
        media_type="application/problem+json",
    )
    return OpenApiResponse(ProblemOut, description=description, examples=[example])


COMMON = {
    (401, "application/problem+json"): problem("not_authenticated", 401, "Not authenticated"),
    (403, "application/problem+json"): problem("permission_denied", 403, "Not allowed"),
}
LIMITED = {
    (429, "application/problem+json"): problem("rate_limited", 429, "Too many requests"),
}
NOT_FOUND = {(404, "application/problem+json"): problem("not_found", 404, "Not found")}
INVALID = {
    (400, "application/problem+json"): problem("malformed", 400, "The body can't be read"),
    (415, "application/problem+json"): problem("unsupported_media_type", 415, "Send JSON"),
    (422, "application/problem+json"): problem("invalid", 422, "Invalid input"),
}
BAD_PAGE = {
    (400, "application/problem+json"): problem("bad_cursor", 400, "Bad cursor"),
    (422, "application/problem+json"): problem("invalid", 422, "Bad limit, or another query"),
}


class ProblemSchema(AutoSchema):
    """Adds to each operation the problem answers that any may give; every list is a page."""

    def get_auth(self) -> Any:
        """Return who may ask; where anybody may, nobody known may, too."""
        found: Any = super().get_auth()
        if Anybody in self.view.permission_classes and found and {} not in found:
            return [*found, {}]
        return found

    def _get_paginator(self) -> Any:
        """Return how the list is paged: all are, also where the view pages by hand."""
        usual: Any = api_settings.DEFAULT_PAGINATION_CLASS
        return (getattr(self.view, "pagination_class", None) or usual)()

    def _is_list_view(self, serializer: Any = None) -> bool:
        """Say whether the answer is a list: by the answer to success, not by a problem's shape."""
        if serializer is None:
            serializer = self.get_response_serializers()
        if isinstance(serializer, dict):  # a code may stand with its media type
            codes = {str(code[0] if isinstance(code, tuple) else code): code for code in serializer}
            if not (good := [codes[code] for code in sorted(codes) if code.startswith("2")]):
                return False
            serializer = serializer[good[0]]
        return bool(super()._is_list_view(serializer))

    def _get_response_bodies(self, direction: Direction = "response") -> Any:
        """Return the declared answers, and the problems that are common to such operations."""
        found: Any = super()._get_response_bodies(direction)
        for (code, media_type), answer in self._common_problems().items():
            if str(code) not in found:
                write: Any = self._get_response_for_code
                found[str(code)] = write(answer, str(code), [media_type], direction)
        return dict(sorted(found.items()))

    def _common_problems(self) -> dict[tuple[int, str], OpenApiResponse]:
        problems = dict(COMMON) if any(self.get_auth()) else {}
        if "{" in self.path:
            problems |= NOT_FOUND
        if self.method in {"POST", "PUT", "PATCH"}:
            problems |= INVALID
        if self._is_list_view():
            problems |= BAD_PAGE
        return problems
