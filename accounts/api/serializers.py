"""Shapes of the accounts API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.choices import Scope
from accounts.models import ApiKey, Plan
from project.core.api.serializers import Input

_PASSWORD: dict[str, Any] = {"max_length": 1000, "trim_whitespace": False}


class Credentials(Input):
    """Who signs in, or makes an account."""

    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(**_PASSWORD)


class SignIn(Input):
    """Who signs in; the first user of an installation has an address without a dot."""

    email = serializers.CharField(max_length=254)
    password = serializers.CharField(**_PASSWORD)
    code = serializers.CharField(
        max_length=40,
        required=False,
        allow_blank=True,
        default="",
        help_text="of the second factor, where the user has one; or a recovery code",
    )


class PasswordChange(Input):
    """The current password and the new one."""

    current_password = serializers.CharField(**_PASSWORD)
    new_password = serializers.CharField(**_PASSWORD)


class PasswordReset(Input):
    """Either an address, to which a link is sent, or the link's token and the new password."""

    email = serializers.CharField(max_length=254, required=False)
    token = serializers.CharField(max_length=200, required=False)
    new_password = serializers.CharField(required=False, **_PASSWORD)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse what is neither."""
        if set(attrs) not in ({"email"}, {"token", "new_password"}):
            raise serializers.ValidationError("either email, or token and new_password")
        return attrs


class RegisteredOut(serializers.Serializer[Any]):
    """The answer to a registration: the same whether the address was known or not."""

    email = serializers.CharField()


class MeOut(serializers.Serializer[Any]):
    """The caller."""

    id = serializers.IntegerField()
    email = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    is_staff = serializers.BooleanField()
    is_superuser = serializers.BooleanField()
    plan = serializers.CharField()
    date_joined = serializers.DateTimeField()
    scopes = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="of a key; null: all"
    )


class CsrfOut(serializers.Serializer[Any]):
    """What unsafe requests of a cookie session send as ``X-CSRFToken``."""

    csrf_token = serializers.CharField()


class KeyRequest(Input):
    """A key to be made."""

    name = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=Scope.choices), required=False, default=list
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    allowed_networks = serializers.ListField(
        child=serializers.CharField(max_length=50), required=False, default=list, max_length=50
    )


class KeyOut(serializers.ModelSerializer[ApiKey]):
    """A key, without its secret."""

    scopes = serializers.ListField(child=serializers.CharField())
    allowed_networks = serializers.ListField(child=serializers.CharField())

    class Meta:
        """Everything but the digest."""

        model = ApiKey
        fields: tuple[str, ...] = (
            "id",
            "name",
            "prefix",
            "scopes",
            "allowed_networks",
            "created_at",
            "expires_at",
            "revoked_at",
            "last_used_at",
        )


class NewKeyOut(KeyOut):
    """A key just made: ``key`` is shown this once."""

    key = serializers.CharField()

    class Meta(KeyOut.Meta):
        """The key's fields, and the secret."""

        fields = (*KeyOut.Meta.fields, "key")


class DeviceOut(serializers.Serializer[Any]):
    """One browser session, or one key."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=["session", "key"])
    name = serializers.CharField(allow_blank=True)
    agent = serializers.CharField(allow_blank=True)
    address = serializers.CharField(allow_null=True)
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField(allow_null=True)
    is_current = serializers.BooleanField()


class RevokedOut(serializers.Serializer[Any]):
    """How many were signed out."""

    revoked = serializers.IntegerField()


class PlanOut(serializers.ModelSerializer[Plan]):
    """What a plan allows; null is no limit of its own."""

    class Meta:
        """What anybody may see."""

        model = Plan
        fields = (
            "name",
            "title",
            "description",
            "is_default",
            "is_unlimited",
            "requests_per_minute",
            "api_per_minute",
            "streams_per_minute",
            "leases_at_once",
            "jobs_at_once",
            "jobs_per_day",
        )


class UseOut(serializers.Serializer[Any]):
    """Use of one quota."""

    quota = serializers.CharField()
    used = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True)
    resets_at = serializers.DateTimeField(allow_null=True)


class SubscriptionOut(serializers.Serializer[Any]):
    """The plan, and what is used of it."""

    plan = PlanOut()
    started_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    next_plan = serializers.CharField(
        allow_null=True,
        help_text="name of the plan that begins at `ends_at`; null: the default one",
    )
    usage = UseOut(many=True)


class FeaturesOut(serializers.Serializer[Any]):
    """Every feature, and whether the caller has it."""

    features = serializers.DictField(child=serializers.BooleanField())
