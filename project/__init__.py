"""Wiring of the whole application; ``project.core`` is the floor below the apps."""

from project.db import library

library.prefer_fixed_sqlite()  # before anything imports Django's SQLite backend

from project.celery import app as celery_app  # noqa: E402 -- see above

__all__ = ["celery_app"]
