"""Shapes of the pool: proxies, their numbers, and what may be asked to be done with them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from project.core.api.serializers import Input
from proxies.api.serializers.fields import MAX_ID, Number, require_site
from proxies.checking import MOST
from proxies.choices import Anonymity, Pool, ProxyState, Scheme
from proxies.models import Proxy

_MAX_CHECKED = 10 * MOST


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
        child=serializers.IntegerField(min_value=1, max_value=MAX_ID),
        required=False,
        max_length=1000,
    )


class ValidateRequest(Input):
    """Which proxies to check; the stalest where nothing is said."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_ID),
        required=False,
        max_length=_MAX_CHECKED,
    )
    pool = serializers.ChoiceField(choices=Pool.choices, required=False)
    limit = serializers.IntegerField(min_value=1, max_value=_MAX_CHECKED, required=False)


class RunIdOut(serializers.Serializer[Any]):
    """The run that does what was asked."""

    run_id = serializers.UUIDField()
