"""How logs look: JSON for programs, lines for people; each with its request and run ids."""

import logging.config
from typing import Any, Final

import structlog

from project.core import scrubbing

#: What waits, or is away, is answered so on purpose: a proxy, a dependency, readiness.
_UNAVAILABLE: Final = 503


def _scrubbed(_: object, __: str, entry: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {name: scrubbing.named(name, value) for name, value in entry.items()}


def is_unmeant(record: logging.LogRecord) -> bool:
    """Return whether an answer that Django tells of is a bug: 503 is an answer of ours."""
    return getattr(record, "status_code", None) != _UNAVAILABLE


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
            "filters": {"unmeant": {"()": lambda: is_unmeant}},
            "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "one"}},
            "root": {"handlers": ["out"], "level": config["level"]},
            "loggers": {
                "daphne": {"level": "WARNING"},
                "django.request": {"level": "ERROR", "filters": ["unmeant"]},
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
