"""System checks: settings of the app that would not work."""

from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

POLICIES: Final = ("direct", "proxy_preferred", "proxy_required")


@register()
def egress(app_configs: object, **_: Any) -> list[CheckMessage]:
    """Refuse a way out that there is not: the direct one would be taken where none is wanted."""
    if settings.VIDEO_EGRESS in POLICIES:
        return []
    known = ", ".join(POLICIES)
    return [Error(f"VIDEO_EGRESS={settings.VIDEO_EGRESS}: one of {known}", id="analysis.E001")]
