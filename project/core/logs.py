"""How logs look: JSON for programs, lines for people; each with its request and run ids."""

import logging.config
import re
from typing import Any, Final

import structlog

#: Credentials in URLs, whatever the scheme: ``socks5://user:password@host``.
_CREDENTIALS: Final = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^\s/?#]+@", re.IGNORECASE)
_KEY: Final = re.compile(r"(?P<scheme>\b(?:Api-Key|Bearer|Basic)\s+)\S+", re.IGNORECASE)
#: Our own keys and secrets, wherever they stand.
_OURS: Final = re.compile(r"\b(?P<mark>mr_|whsec_)[A-Za-z0-9_-]{6,}")
#: What is named so is told to nobody, whatever it is.
_NAMED: Final = re.compile(
    r"passw|secret|token|authorization|cookie|api_?key|signature|session_?(?:id|key)|credential",
    re.IGNORECASE,
)


def scrub(text: str) -> str:
    """Return ``text`` without credentials of URLs and headers, and without API keys."""
    text = _CREDENTIALS.sub(r"\g<scheme>***@", text)
    return _OURS.sub(r"\g<mark>***", _KEY.sub(r"\g<scheme>***", text))


def _clean(value: Any) -> Any:
    """Return ``value`` with all texts in it scrubbed; what is no plain JSON as scrubbed text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {scrub(str(name)): _named(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(inner) for inner in value]
    return scrub(value if isinstance(value, str) else repr(value))


def _named(name: str, value: Any) -> Any:
    """Return the value of a name: nothing of one that names a secret, but for counts of them."""
    if _NAMED.search(name) and not isinstance(value, bool | int | float):
        return "***"
    return _clean(value)


def _scrubbed(_: object, __: str, entry: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {name: _named(name, value) for name, value in entry.items()}


def configure(config: dict[str, Any]) -> None:
    """Set up logging as settings say: ``{"format": "json" | "console", "level": "INFO"}``."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Plain tracebacks: rich ones call repr() of locals, which ran lazy queries and hung requests.
    last: list[Any] = [structlog.processors.format_exc_info, _scrubbed]
    if config["format"] == "json":
        last.append(structlog.processors.JSONRenderer())
    else:
        plain = structlog.dev.plain_traceback
        last.append(structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain))
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "one": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        *last,
                    ],
                }
            },
            "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "one"}},
            "root": {"handlers": ["out"], "level": config["level"]},
            "loggers": {
                "daphne": {"level": "WARNING"},
                "django.request": {"level": "ERROR"},
                "celery": {"level": "WARNING"},
                "kombu": {"level": "WARNING"},
            },
        }
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
