"""Where backups lie, and the S3-compatible store that gets a copy of each."""

from project.settings import env
from project.settings.base import DATA_DIR

BACKUPS_DIR = DATA_DIR / "backups"
#: A bucket turns copying on; without an endpoint it is Amazon's own S3.
S3_BUCKET = env.text("S3_BUCKET", "")
S3_ENDPOINT = env.url("S3_ENDPOINT", "", schemes=("http", "https"))
S3_ACCESS_KEY = env.text("S3_ACCESS_KEY", "")
S3_SECRET_KEY = env.text("S3_SECRET_KEY", "")
S3_REGION = env.text("S3_REGION", "us-east-1")
S3_PREFIX = env.text("S3_PREFIX", "")
#: Tables that PostgreSQL keeps in partitions: the column that they go by, in milliseconds, and what
#: makes those of a stretch of time; `manage.py move_database` calls it on the target.
MOVE_PARTITIONS = {
    "markets_candle": ("open_time", "markets.partitions.ensure"),
    "markets_qualitysummary": ("start_ms", "markets.partitions.ensure_summaries"),
    "markets_apierrorlog": ("happened_ms", "markets.partitions.ensure_errors"),
}
