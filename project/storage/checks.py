"""System checks: combinations of settings that would not work."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def s3_store(app_configs: object, **_: Any) -> list[CheckMessage]:
    """Refuse half a store: a bucket without keys, keys without a bucket."""
    names = ("S3_BUCKET", "S3_ACCESS_KEY", "S3_SECRET_KEY")
    missing = [name for name in names if not getattr(settings, name)]
    if not missing or len(missing) == len(names):
        return []
    return [
        Error(
            f"{' and '.join(missing)} not set: backups would not be copied",
            hint=f"Set all of {', '.join(names)}, or none.",
            id="storage.E001",
        )
    ]
