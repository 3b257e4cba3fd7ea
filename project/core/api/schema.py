"""What every operation of the OpenAPI document has in common: its problem answers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers


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
    errors = FieldProblemOut(many=True, required=False)


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
NOT_FOUND = {(404, "application/problem+json"): problem("not_found", 404, "Not found")}
INVALID = {
    (400, "application/problem+json"): problem("malformed", 400, "The body can't be read"),
    (415, "application/problem+json"): problem("unsupported_media_type", 415, "Send JSON"),
    (422, "application/problem+json"): problem("invalid", 422, "Invalid input"),
}
BAD_PAGE = {(400, "application/problem+json"): problem("bad_cursor", 400, "Bad cursor")}


class ProblemSchema(AutoSchema):
    """Adds to each operation the problem answers that any operation may give."""

    def get_response_serializers(self) -> Any:
        """Return what the view declares, and the common problems where it needs a caller."""
        found = super().get_response_serializers()
        if not isinstance(found, dict):
            found = {200: found}
        extra: dict[Any, Any] = dict(COMMON) if self.get_auth() else {}
        if "{" in self.path:
            extra |= NOT_FOUND
        if self.method in {"POST", "PUT", "PATCH"}:
            extra |= INVALID
        if self._is_list_view():
            extra |= BAD_PAGE
        return {**extra, **found}
