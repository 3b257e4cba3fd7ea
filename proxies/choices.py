"""The fixed values of the proxies app."""

from typing import Final

from django.db import models


class Scheme(models.TextChoices):
    """What a proxy speaks with its clients; 4a counts as 4, 5h as 5: only clients differ."""

    HTTP = "http", "HTTP"
    HTTPS = "https", "HTTP, for TLS sites (CONNECT)"
    SOCKS4 = "socks4", "SOCKS4"
    SOCKS5 = "socks5", "SOCKS5"


class ProxyState(models.TextChoices):
    """What the last checks said about a proxy."""

    UNPROVEN = "unproven", "Never checked"
    HEALTHY = "healthy", "Works"
    FAILING = "failing", "Failed lately, tried again"
    RETIRED = "retired", "Dead for long, tried again when a list names it"
    BLOCKED = "blocked", "Taken out by staff"


#: States in which a proxy is checked.
CHECKED: Final = (ProxyState.UNPROVEN, ProxyState.HEALTHY, ProxyState.FAILING)


class Pool(models.TextChoices):
    """How good a proxy is; without a named pool they are tried in this order."""

    HOT = "hot", "Hot"
    WARM = "warm", "Warm"
    COLD = "cold", "Cold"


class Anonymity(models.TextChoices):
    """What a site learns of the client behind a proxy."""

    ELITE = "elite", "Elite: nothing, not even that there is a proxy"
    ANONYMOUS = "anonymous", "Anonymous: that there is a proxy"
    TRANSPARENT = "transparent", "Transparent: the client's address"


class Verdict(models.TextChoices):
    """What one check of a proxy found."""

    OK = "ok", "Works"
    TIMEOUT = "timeout", "Did not answer in time"
    REFUSED = "refused", "Refused or dropped the connection"
    UNAUTHORIZED = "unauthorized", "Wants other credentials"
    BAD_ANSWER = "bad_answer", "Answered with an error, or what is no answer"
    MISMATCH = "mismatch", "Answered something else than the judge"
    INTERCEPTED = "intercepted", "Reads TLS traffic"
    FORBIDDEN = "forbidden", "Its address lies inside a private network"


class Outcome(models.TextChoices):
    """What the holder of a lease met."""

    OK = "ok", "OK"
    TIMEOUT = "timeout", "Time-out"
    REFUSED = "refused", "Refused"
    BLOCKED = "blocked", "Blocked by the site"
    RATE_LIMITED = "rate_limited", "Rate limited by the site"
    CAPTCHA = "captcha", "Captcha"
    MISMATCH = "mismatch", "Another content than expected"
    ERROR = "error", "Other error"


class LeaseState(models.TextChoices):
    """Where a lease is; all but the first are final."""

    ACTIVE = "active", "Active"
    RELEASED = "released", "Released"
    EXPIRED = "expired", "Expired"
    REVOKED = "revoked", "Ended by staff"


class Mended(models.TextChoices):
    """What was done where a slot and the record of a lease disagreed."""

    CLAIMED = "claimed", "The slot was claimed again for the lease that stands"
    ENDED = "ended", "The record was ended: its slot belongs to another lease"
    FREED = "freed", "The slot was freed: no lease stands on it"


class Exclusivity(models.TextChoices):
    """What a lease keeps from others."""

    ENDPOINT = "endpoint", "The proxy"
    EXIT_ADDRESS = "exit_address", "The address it leaves from, with all proxies that share it"


class SourceKind(models.TextChoices):
    """Where a list comes from."""

    URL = "url", "Fetched from a URL"
    TEXT = "text", "Pasted or uploaded text"


class ListFormat(models.TextChoices):
    """How a list is written."""

    AUTO = "auto", "Find out"
    LINES = "lines", "Lines: ip:port, URLs, tables of text"
    JSON = "json", "JSON"
    JSON_LINES = "jsonl", "JSON lines"
    CSV = "csv", "CSV"
    HTML = "html", "HTML table"


class FetchOutcome(models.TextChoices):
    """How fetching a source went."""

    SUCCESS = "success", "Success"
    EMPTY = "empty", "No proxy in it"
    ERROR = "error", "Error"


class FetchError(models.TextChoices):
    """Why fetching a source failed."""

    TIMEOUT = "timeout", "Time-out"
    PARSE = "parse", "Can't be read"
    NETWORK = "network", "Network"
    UNKNOWN = "unknown", "Unknown"


class DeliveryState(models.TextChoices):
    """Where a snapshot for the ETL endpoint is."""

    WAITING = "waiting", "In the outbox"
    SENT = "sent", "Sent"


#: Name of all pools together, in their history.
ALL_POOLS: Final = ""


class Grain(models.IntegerChoices):
    """How much time one row of the pools' history stands for, seconds."""

    MINUTE = 60, "a minute"
    TEN_MINUTES = 600, "ten minutes"
    HOUR = 3_600, "an hour"
