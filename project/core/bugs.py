"""Reports of bugs to Sentry, where ``SENTRY_DSN`` is set: what was logged as an error.

Nothing of a library is patched but the logger, so that calls outside carry no further headers.
What leaves is scrubbed by its text, wherever it stands: Sentry's own scrubber goes by keys alone.
"""

from typing import Any

import structlog
from django.conf import settings
from django.utils.functional import empty

from project.core import scrubbing, version


def connect() -> None:
    """Send what is logged as an error, from now on, to the installation's Sentry."""
    import sentry_sdk  # noqa: PLC0415 -- only with a DSN
    from sentry_sdk.integrations import atexit, dedupe, excepthook, logging, threading  # noqa: PLC0415

    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        environment=settings.ENVIRONMENT,
        release=version.label(),
        before_send=before_send,
        include_local_variables=False,
        default_integrations=False,
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        send_client_reports=False,
        integrations=[
            atexit.AtexitIntegration(callback=lambda *_: None),
            dedupe.DedupeIntegration(),
            excepthook.ExcepthookIntegration(),
            logging.LoggingIntegration(),
            threading.ThreadingIntegration(propagate_scope=False),
        ],
    )


def before_send(event: Any, hint: dict[str, Any]) -> Any:
    """Return what is told of a bug: with whom and which request it met, without secrets."""
    bound = structlog.contextvars.get_contextvars()
    names = ("request_id", "run_id", "kind", "trace_id")
    tags = {name: str(bound[name]) for name in names if bound.get(name)}
    request = getattr(hint.get("log_record"), "request", None)
    user_id = _user_id(request) or bound.get("user_id")
    told = scrubbing.value({**event, "tags": {**dict(event.get("tags") or {}), **tags}}, write=str)
    if request is not None:
        told["request"] = {"method": request.method, "url": scrubbing.text(request.path)}
    if user_id:
        told["user"] = {"id": str(user_id)}
    return told


def _user_id(request: Any) -> Any:
    """Return who asked, where that is known by now: a report asks the database nothing."""
    user = getattr(request, "user", None)
    is_unasked = getattr(user, "__dict__", {}).get("_wrapped") is empty
    return None if is_unasked else getattr(user, "pk", None)
