"""What an API key may be allowed to do, and how limits count."""

from typing import Final

from django.db import models


class Scope(models.TextChoices):
    """One part of the API, to read or to write; ``admin`` is everything, for staff's keys."""

    PROXIES_READ = "proxies:read", "Read proxies"
    PROXIES_WRITE = "proxies:write", "Take and return proxies"
    MARKETS_READ = "markets:read", "Read markets"
    MARKETS_WRITE = "markets:write", "Change markets"
    ANALYSIS_READ = "analysis:read", "Read analyses"
    ANALYSIS_WRITE = "analysis:write", "Submit and correct analyses"
    ACCOUNTS_READ = "accounts:read", "Read the own account"
    ACCOUNTS_WRITE = "accounts:write", "Change the own account"
    ADMIN = "admin", "Everything (staff)"


#: What a key may do that names no scope.
ALL_BUT_ADMIN: Final = tuple(scope for scope in Scope if scope != Scope.ADMIN)


class DeliveryStatus(models.TextChoices):
    """What became of a message to a webhook."""

    WAITING = "waiting", "Waiting"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"


class CountedBy(models.TextChoices):
    """Whose requests a rule adds up."""

    CALLER = "caller", "Key, else user, else address"
    ADDRESS = "address", "Address"


class RaisedBy(models.TextChoices):
    """The numbers of a plan that are rates."""

    REQUESTS = "requests_per_minute", "Requests per minute"
    API = "api_per_minute", "API requests per minute"
    STREAMS = "streams_per_minute", "Streams opened per minute"
