"""Shapes of leases: wishes, what is lent, and why not another one."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from rest_framework import serializers

from project.core.api.serializers import Input
from proxies.api.serializers.fields import Number
from proxies.choices import LeaseState, Outcome, Pool, Scheme
from proxies.lending import LONGEST_TTL
from proxies.models import Lease

_LONGEST_TTL_S = LONGEST_TTL.total_seconds()


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
