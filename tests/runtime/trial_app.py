"""A small Celery application on the embedded broker, run by the tests in processes of its own.

``TRIAL_FOLDER`` names the folder of its broker and of the journal, to which each task writes.
"""

import os
import time
from pathlib import Path

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

TRANSPORT_ALIASES["sqlitequeue"] = "project.runtime.broker:Transport"
FOLDER = Path(os.environ.get("TRIAL_FOLDER", "/nonexistent"))

URL = f"sqlitequeue:///{FOLDER}/broker.sqlite3"
app = Celery("trial", broker=URL, set_as_current=False, fixups=[])  # without Django
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    worker_enable_remote_control=False,
    broker_connection_retry_on_startup=True,
)


def note(text: str) -> None:
    """Add one line to the journal; lines of rivals don't mix."""
    handle = os.open(FOLDER / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(handle, f"{text}\n".encode())
    finally:
        os.close(handle)


@app.task(name="trial.note")
def write(text: str) -> None:
    """Write ``text``."""
    note(text)


@app.task(name="trial.slow", bind=True)
def slow(self, text: str, wait_s: float) -> None:
    """Write when the work begins, by whom and whether again, and when it ends."""
    again = self.request.delivery_info["redelivered"]
    note(f"begin {text} again={again}")
    time.sleep(wait_s)
    note(f"end {text}")
