"""How a user is found: by password, unless locked out; by session, in one query with the plan."""

from contextvars import ContextVar
from typing import Any, Final

from django.contrib.auth import aget_user, get_user
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from accounts import locking_out, plans
from accounts.models import User
from accounts.noting import Sight
from project.core.requests import address_of

#: Whom loading the session of the request at hand brought along.
_owner: Final[ContextVar[User | None]] = ContextVar("owner", default=None)


def sight_of(request: HttpRequest) -> Sight:
    """Return from where somebody asks."""
    return Sight(address_of(request), request.headers.get("User-Agent", ""))


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
        known = _owner.get()
        if known is not None and known.pk == user_id:
            return known if self.user_can_authenticate(known) else None
        found = User.objects.select_related(*plans.WITH_USER).filter(pk=user_id).first()
        return found if found and self.user_can_authenticate(found) else None


def user_of(request: HttpRequest) -> User | AnonymousUser:
    """Return who is signed in, as Django finds them, but with what their session brought along."""
    request.session.get("")  # loads it
    before = _owner.set(getattr(request.session, "owner", None))
    try:
        return get_user(request)
    finally:
        _owner.reset(before)


class UserMiddleware(AuthenticationMiddleware):
    """Django's own, but that session, user and plan cost one query together."""

    def process_request(self, request: HttpRequest) -> None:
        """Let ``request.user`` be found when somebody asks for it."""
        request.user = SimpleLazyObject(lambda: _remembered(request))  # type: ignore[assignment]

        async def auser() -> User | AnonymousUser:
            return await aget_user(request)

        request.auser = auser


def _remembered(request: Any) -> User | AnonymousUser:
    if not hasattr(request, "_cached_user"):
        request._cached_user = user_of(request)  # noqa: SLF001 -- where Django's login puts it
    found: User | AnonymousUser = request._cached_user  # noqa: SLF001 -- as above
    return found
