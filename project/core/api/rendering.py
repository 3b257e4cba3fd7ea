"""How answers are written: JSON by orjson; problems under their own media type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from django.utils.functional import Promise
from rest_framework.renderers import BaseRenderer

if TYPE_CHECKING:
    from collections.abc import Mapping


def _plain(value: Any) -> Any:
    if isinstance(value, Promise):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


class JsonRenderer(BaseRenderer):
    """JSON in UTF-8; moments in UTC with ``Z``."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return ``data`` as bytes; nothing where there is none."""
        if data is None:
            return b""
        options = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC | orjson.OPT_NON_STR_KEYS
        return orjson.dumps(data, default=_plain, option=options)
