"""Shapes of the proxies API."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from rest_framework import serializers

from project.core.api.serializers import Input
from proxies.checking import MOST
from proxies.choices import Anonymity, LeaseState, ListFormat, Outcome, Pool, ProxyState, Scheme
from proxies.identity import is_target
from proxies.lending import LONGEST_TTL
from proxies.models import Lease, Proxy

_LONGEST_TTL_S = LONGEST_TTL.total_seconds()
_MAX_CHECKED = 10 * MOST
#: What keys of rows can be.
_MAX_ID = 2**63 - 1


def require_site(text: str) -> None:
    """Refuse what names no host: a filter that means nothing would let everything through."""
    if not is_target(text):
        raise serializers.ValidationError("a host name or an address of the web", code="invalid")


class Number(serializers.FloatField):
    """A number; neither ``true`` nor what only becomes one in Python."""

    def to_internal_value(self, data: Any) -> float:
        """Want a number, or its text."""
        if isinstance(data, bool):
            self.fail("invalid")
        return float(super().to_internal_value(data))


class ProxyOut(serializers.ModelSerializer[Proxy]):
    """A proxy, without its credentials."""

    scheme = serializers.CharField(help_text="http, https, socks4 or socks5")
    pool = serializers.ChoiceField(choices=Pool.choices, allow_null=True)
    anonymity = serializers.ChoiceField(choices=Anonymity.choices, allow_null=True)
    country = serializers.CharField(allow_null=True)
    exit_ip = serializers.CharField(allow_null=True)
    sources = serializers.SerializerMethodField()

    class Meta:
        """The contract's names."""

        model = Proxy
        fields = (
            "id",
            "scheme",
            "host",
            "port",
            "pool",
            "state",
            "score",
            "anonymity",
            "country",
            "exit_ip",
            "latency_ms",
            "last_checked_at",
            "sources",
        )

    def get_sources(self, proxy: Proxy) -> list[str]:
        """Return the names of the sources that named it."""
        return sorted(entry.source.name for entry in proxy.entries.all())

    def to_representation(self, instance: Proxy) -> dict[str, Any]:
        """Say null for what isn't known."""
        found: dict[str, Any] = super().to_representation(instance)
        for name in ("pool", "anonymity", "country", "exit_ip"):
            found[name] = found[name] or None
        return found


class ProxyFilter(serializers.Serializer[Any]):
    """Which proxies a list shows."""

    protocol = serializers.ChoiceField(choices=Scheme.choices, required=False)
    country = serializers.RegexField("^[A-Za-z]{2}$", required=False)
    anonymity = serializers.ChoiceField(choices=Anonymity.choices, required=False)
    pool = serializers.ChoiceField(choices=Pool.choices, required=False)
    state = serializers.ChoiceField(choices=ProxyState.choices, required=False)
    min_score = Number(min_value=0, max_value=100, required=False)
    max_latency_ms = serializers.FloatField(min_value=0, required=False)
    target = serializers.CharField(
        max_length=255,
        required=False,
        help_text="not banned at this host",
        validators=[require_site],
    )


class PoolSizesOut(serializers.Serializer[Any]):
    """Healthy proxies by pool."""

    hot = serializers.IntegerField()
    warm = serializers.IntegerField()
    cold = serializers.IntegerField()


class StateSizesOut(serializers.Serializer[Any]):
    """Proxies by state."""

    unproven = serializers.IntegerField()
    healthy = serializers.IntegerField()
    failing = serializers.IntegerField()
    retired = serializers.IntegerField()
    blocked = serializers.IntegerField()


class LatencyOut(serializers.Serializer[Any]):
    """Latencies of healthy proxies, ms."""

    p50 = serializers.FloatField(allow_null=True)
    p95 = serializers.FloatField(allow_null=True)


class StatsOut(serializers.Serializer[Any]):
    """What the pool looks like."""

    pools = PoolSizesOut()
    states = StateSizesOut()
    leases_active = serializers.IntegerField()
    latency_ms = LatencyOut()


class FetchRequest(Input):
    """Which sources to fetch; all enabled ones where none is named."""

    sources = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=_MAX_ID),
        required=False,
        max_length=1000,
    )


class ValidateRequest(Input):
    """Which proxies to check; the stalest where nothing is said."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=_MAX_ID),
        required=False,
        max_length=_MAX_CHECKED,
    )
    pool = serializers.ChoiceField(choices=Pool.choices, required=False)
    limit = serializers.IntegerField(min_value=1, max_value=_MAX_CHECKED, required=False)


class ImportOptions(serializers.Serializer[Any]):
    """How a list that is handed in is to be read."""

    dry_run = serializers.BooleanField(default=False)
    format = serializers.ChoiceField(choices=ListFormat.choices, default=ListFormat.AUTO)
    protocol = serializers.ChoiceField(choices=Scheme.choices, default=Scheme.HTTP)


class ImportRequest(Input):
    """A list as JSON: entries, or text; a bare array of entries will do as well."""

    proxies = serializers.ListField(child=serializers.JSONField(), required=False)
    text = serializers.CharField(required=False, trim_whitespace=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Want one of both."""
        if ("proxies" in attrs) == ("text" in attrs):
            raise serializers.ValidationError("give either proxies or text", code="required")
        return attrs


class UploadRequest(serializers.Serializer[Any]):
    """A list as a file."""

    file = serializers.FileField(allow_empty_file=True)  # the verb says what is missing


class RefusedOut(serializers.Serializer[Any]):
    """An entry that would not be taken."""

    line = serializers.IntegerField()
    text = serializers.CharField(help_text="without what may be a password")
    reason = serializers.CharField()


class PreviewOut(serializers.Serializer[Any]):
    """What an import would do."""

    accepted = serializers.IntegerField(help_text="proxies that would be new")
    duplicates = serializers.IntegerField(help_text="repeated, or known already")
    rejected = RefusedOut(many=True, help_text="the first thousand")


class RunIdOut(serializers.Serializer[Any]):
    """The run that does what was asked."""

    run_id = serializers.UUIDField()


class WishRequest(Input):
    """Which proxy is wanted."""

    target = serializers.CharField(
        max_length=255, required=False, allow_blank=True, help_text="host name to be visited"
    )
    pool = serializers.ChoiceField(choices=Pool.choices, required=False)
    protocol = serializers.ChoiceField(
        choices=Scheme.choices, required=False, help_text="https: reaches TLS sites"
    )
    country = serializers.RegexField("^[A-Za-z]{2}$", required=False)
    min_score = Number(min_value=0, max_value=100, required=False)


class LeaseRequest(WishRequest):
    """Which proxy is wanted, for how long."""

    ttl = Number(min_value=1, max_value=_LONGEST_TTL_S, required=False, help_text="seconds")
    request_id = serializers.CharField(max_length=100, required=False, allow_blank=True)
    session = serializers.CharField(max_length=100, required=False, allow_blank=True)


class KnownField(serializers.CharField):
    """A text that is null where it isn't known: empty."""

    def to_representation(self, value: Any) -> Any:
        """Return the text, or None."""
        return super().to_representation(value) or None


class LentProxyOut(serializers.Serializer[Any]):
    """The proxy of a lease."""

    id = serializers.IntegerField(source="proxy_id")
    scheme = serializers.CharField(help_text="http, https, socks4 or socks5")
    host = serializers.CharField()
    port = serializers.IntegerField()
    country = KnownField(allow_null=True)
    exit_ip = KnownField(allow_null=True)


class LeaseOut(serializers.Serializer[Any]):
    """A lease, to its holder alone: it has the proxy's credentials."""

    id = serializers.IntegerField()
    token = serializers.UUIDField()
    proxy_url = serializers.CharField(help_text="with credentials where the proxy wants them")
    proxy = LentProxyOut(source="*")
    expires_at = serializers.DateTimeField(default_timezone=UTC)
    reused = serializers.BooleanField()


class HeldProxyOut(LentProxyOut):
    """The proxy of a lease in a list."""

    id = serializers.IntegerField()


class LeaseRecordOut(serializers.ModelSerializer[Lease]):
    """A lease in lists: without token and credentials."""

    proxy = HeldProxyOut()
    state = serializers.ChoiceField(choices=LeaseState.choices)
    late = serializers.BooleanField(source="is_late")
    outcome = serializers.ChoiceField(choices=Outcome.choices, allow_null=True)

    class Meta:
        """What the record has."""

        model = Lease
        fields = (
            "id",
            "proxy",
            "pool",
            "target",
            "holder",
            "request_id",
            "session",
            "state",
            "acquired_at",
            "expires_at",
            "released_at",
            "late",
            "outcome",
            "status_code",
        )

    def to_representation(self, instance: Lease) -> dict[str, Any]:
        """Say null where there is no outcome."""
        found: dict[str, Any] = super().to_representation(instance)
        found["outcome"] = found["outcome"] or None
        return found


class LeaseFilter(serializers.Serializer[Any]):
    """Which leases a list shows."""

    active = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="those that stand, or the others"
    )


class RuleOut(serializers.Serializer[Any]):
    """One condition of lending."""

    name = serializers.CharField(help_text="stable, for programs")
    holds = serializers.BooleanField()
    text = serializers.CharField(help_text="with its numbers, for people")


class ScoreOut(serializers.Serializer[Any]):
    """How a score comes about."""

    value = serializers.FloatField(allow_null=True, help_text="0 to 100, as of now")
    good_weight = serializers.FloatField(source="good", help_text="decayed, in checks of today")
    total_weight = serializers.FloatField(source="total")
    text = serializers.CharField()


class ClosedOut(serializers.Serializer[Any]):
    """A site that the proxy isn't lent for now."""

    target = serializers.CharField(help_text="registered domain")
    until = serializers.DateTimeField()
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    text = serializers.CharField()


class ExplanationOut(serializers.Serializer[Any]):
    """Why a proxy would be lent for a wish now, or why not."""

    proxy_id = serializers.IntegerField()
    lendable = serializers.BooleanField(help_text="every rule holds")
    rules = RuleOut(many=True)
    score = ScoreOut()
    closed = ClosedOut(many=True, help_text="sites that it isn't lent for now, the first twenty")


class ChoiceOut(serializers.Serializer[Any]):
    """What spoke for the proxy of a lease when it was lent."""

    lease_id = serializers.IntegerField()
    proxy_id = serializers.IntegerField()
    pool = serializers.ChoiceField(choices=Pool.choices)
    target = serializers.CharField(allow_blank=True)
    recorded = serializers.BooleanField()
    score = serializers.FloatField(allow_null=True, help_text="the proxy's, then")
    rested_seconds = serializers.FloatField(
        source="rested_s", allow_null=True, help_text="since it had last been lent; null: never"
    )
    away_seconds = serializers.FloatField(
        source="away_s", allow_null=True, help_text="the same for this target"
    )
    text = serializers.CharField()


class RenewRequest(Input):
    """Keeps a lease."""

    token = serializers.UUIDField()
    ttl = Number(
        min_value=1, max_value=_LONGEST_TTL_S, required=False, help_text="seconds from now"
    )


class ReleaseRequest(Input):
    """Gives a proxy back, with what came of it."""

    token = serializers.UUIDField()
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    status_code = serializers.IntegerField(
        min_value=0, max_value=999, required=False, allow_null=True
    )
    latency_ms = serializers.FloatField(
        min_value=0, max_value=86_400_000, required=False, allow_null=True
    )
    bytes = serializers.IntegerField(min_value=0, max_value=2**53, required=False, allow_null=True)


class ReleaseOut(serializers.Serializer[Any]):
    """When the proxy was given back, and whether that was too late."""

    released_at = serializers.DateTimeField(default_timezone=UTC)
    late = serializers.BooleanField(source="is_late")
