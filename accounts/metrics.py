"""What the app counts."""

from typing import Final

from prometheus_client import Counter

RATE_LIMIT_REQUESTS: Final = Counter(
    "rate_limit_requests", "Requests that a rule counted", ["result", "rule"]
)
