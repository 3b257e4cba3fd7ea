"""Celery's settings."""

from typing import Any
from urllib.parse import quote

from project.settings import env
from project.settings.base import DATA_DIR

#: A file of the data directory; quoted, since its path may hold what means something in a URL.
_EMBEDDED_BROKER = f"sqlitequeue:///{quote(str(DATA_DIR / 'broker.sqlite3'))}"
CELERY_BROKER_URL = env.scaled("CELERY_BROKER_URL", _EMBEDDED_BROKER)
#: Tasks run at once in a worker process; its pool is of threads, since the work waits for others.
CELERY_WORKER_CONCURRENCY = env.whole("WORKER_CONCURRENCY", 8, at_least=1)
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False  # heartbeats are rows; control queues would pile up
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_TASK_DEFAULT_QUEUE = "millrace"
CELERY_TASK_TIME_LIMIT = 900
CELERY_TASK_SOFT_TIME_LIMIT = 870
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.2}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a broker that comes back after hours is used again
CELERY_BEAT_SCHEDULER = "project.core.beat:CatchUpScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5  # seconds until a schedule edited in the admin is seen
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
DJANGO_CELERY_BEAT_TZ_AWARE = True
#: A hung Redis must not hold a request: the row is the truth and the sweeper sends again.
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {
        "socket_timeout": 5,
        "socket_connect_timeout": 1,
        "visibility_timeout": 7200,  # longer than any task; claims of dead workers end sooner
    }
    if CELERY_BROKER_URL.startswith(("redis", "rediss", "unix"))
    else {}
)
