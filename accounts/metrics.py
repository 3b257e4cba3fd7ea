"""What the app counts."""

from typing import Final

from prometheus_client import Counter

WEBHOOK_DELIVERIES: Final = Counter(
    "webhook_deliveries", "Attempts to deliver to webhooks", ["event", "result"]
)
RATE_LIMIT_REQUESTS: Final = Counter(
    "rate_limit_requests", "Requests that a rule counted", ["result", "rule"]
)
