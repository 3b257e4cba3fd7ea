"""How a user is found: by password, unless locked out; by session, with the plan in one query."""

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from django.utils import timezone

from accounts import locking_out
from accounts.models import User
from project.core import limits


def address_of(request: HttpRequest) -> str:
    """Return the address of the client, behind trusted proxies."""
    return limits.client_address(
        request.META.get("REMOTE_ADDR", ""),
        request.headers.get("X-Forwarded-For", ""),
        trusted=settings.TRUSTED_PROXIES,
    )


class SessionBackend(ModelBackend):
    """Django's own, but that failures lock out and a session's user comes with their plan."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **fields: Any,
    ) -> User | None:
        """Return who signs in; None for a wrong password and for whoever is locked out."""
        email = username or fields.get(User.USERNAME_FIELD) or ""
        if request is None:  # not over the network
            return self._known(request, email, password)
        address, now = address_of(request), timezone.now()
        if locking_out.locked_until(email, address=address, now=now):
            return None
        user = self._known(request, email, password)
        if user is None:
            locking_out.failed(email, address=address, now=now)
        else:
            locking_out.forgive(email, address=address)
        return user

    def _known(self, request: HttpRequest | None, email: str, password: str | None) -> User | None:
        if "\x00" in email or not password:  # PostgreSQL knows no such text
            return None
        found = super().authenticate(request, username=email, password=password)
        return found if isinstance(found, User) else None

    def get_user(self, user_id: int) -> User | None:
        """Return the user of a session, unless they may no longer sign in."""
        found = User.objects.select_related("subscription__plan").filter(pk=user_id).first()
        return found if found and self.user_can_authenticate(found) else None
