"""The trial application as its workers see it: without the product's heart and sweeper."""

from celery import signals

import project  # noqa: F401 -- connects what is cleared below
from tests.runtime.trial_app import app

for signal in (signals.worker_ready, signals.worker_shutting_down, signals.worker_shutdown):
    signal.receivers = []  # importing `project` connected them; they want Django's apps

__all__ = ["app"]
