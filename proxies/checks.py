"""System checks: settings of the app that would not work."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from proxies import judging, locating


@register()
def judges(app_configs: object, **_: Any) -> list[CheckMessage]:
    """Refuse judges whose address is none."""
    try:
        judging.judges()
    except judging.BadJudgeError as error:
        return [Error(str(error), id="proxies.E001")]
    return []


@register()
def places(app_configs: object, **_: Any) -> list[CheckMessage]:
    """Refuse a file of networks that can't be read."""
    why = locating.problem()
    return [Error(f"MAXMIND_DB: {why}", id="proxies.E002")] if why else []
