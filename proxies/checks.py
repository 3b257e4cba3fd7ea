"""System checks: settings of the app that would not work."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from proxies import judging


@register()
def judges(app_configs: object, **_: Any) -> list[CheckMessage]:
    """Refuse judges whose address is none."""
    try:
        judging.judges()
    except judging.BadJudgeError as error:
        return [Error(str(error), id="proxies.E001")]
    return []
