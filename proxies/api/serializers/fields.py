"""Fields that requests of the proxies API share."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from proxies.identity import is_target

#: What keys of rows can be.
MAX_ID = 2**63 - 1


def require_site(text: str) -> None:
    """Refuse what names no host: a filter that means nothing would let everything through."""
    if not is_target(text):
        raise serializers.ValidationError("a host name or an address of the web", code="invalid")


class Number(serializers.FloatField):
    """A number; neither ``true`` nor what only becomes one in Python."""

    def to_internal_value(self, data: Any) -> float:
        """Want a number, or its text."""
        if isinstance(data, bool):
            self.fail("invalid")
        return float(super().to_internal_value(data))
