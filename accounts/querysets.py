"""Sets of users and keys; every method narrows, none writes."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.contrib.auth.models import BaseUserManager
from django.db import models
from django.db.models import Q

from accounts.choices import DeliveryStatus

if TYPE_CHECKING:
    from accounts.models import ApiKey, Plan, User, WebhookDelivery  # noqa: F401 -- bases' parameters


class UserManager(BaseUserManager["User"]):
    """Makes users by e-mail, as Django's commands expect it."""

    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a user; without a password they can't sign in, only use keys."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a staff user who may do everything."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a user by e-mail, however it is capitalised."""
        return self.get(email=(username or "").strip().lower())


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Sets of API keys."""

    def valid(self, *, at: datetime) -> Self:
        """Keys neither revoked nor expired, of users who may still sign in."""
        unexpired = Q(expires_at__isnull=True) | Q(expires_at__gt=at)
        return self.filter(unexpired, revoked_at__isnull=True, user__is_active=True)


class PlanQuerySet(models.QuerySet["Plan"]):
    """Sets of plans."""

    def public(self) -> Self:
        """Plans that anybody may see."""
        return self.filter(is_public=True)


class DeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    """Sets of messages to webhooks."""

    def due(self, *, at: datetime) -> Self:
        """Messages to be sent now, the longest waiting first; none to who turned it off."""
        rows = self.filter(status=DeliveryStatus.WAITING, next_try_at__lte=at, webhook__is_on=True)
        return rows.select_related("webhook").order_by("next_try_at", "pk")
