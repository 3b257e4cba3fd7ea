"""The Celery application."""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

from project.core import lifecycle

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
TRANSPORT_ALIASES["sqlitequeue"] = "project.runtime.broker:Transport"

app = Celery("project")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
lifecycle.connect()
