"""Who may begin a session: by password and, where there is one, by the second factor."""

from datetime import datetime

from django.contrib import auth
from django.http import HttpRequest

from accounts import devices, locking_out, second_factor
from accounts.backends import sight_of
from accounts.models import User
from project.core.errors import ForbiddenError
from project.core.requests import address_of


class WrongCredentialsError(ForbiddenError):
    """The e-mail or the password is wrong; which one is not told."""

    code = "wrong_credentials"
    title = "Wrong e-mail or password"


class CodeWantedError(ForbiddenError):
    """The password is right: the code of the second factor is wanted, too."""

    code = "second_factor_required"
    title = "A code is wanted"


def sign_in(request: HttpRequest, *, email: str, password: str, code: str, now: datetime) -> User:
    """Begin a session.

    Raises:
        LockedOutError: too many failed sign-ins.
        WrongCredentialsError: wrong e-mail or password.
        CodeWantedError: the user has a second factor, and no code came.
        WrongCodeError: the code is another one.
    """
    locking_out.require_open(email, address=address_of(request), now=now)
    user = auth.authenticate(request, username=email, password=password)
    if not isinstance(user, User):
        raise WrongCredentialsError
    require_code(request, user, code, now=now)
    auth.login(request, user)
    here = request.session.session_key or ""
    devices.begun(user, here, sight_of(request), now=now)
    return user


def require_code(request: HttpRequest, user: User, code: str, *, now: datetime) -> None:
    """Refuse who has a second factor and shows no right code of it.

    Raises:
        CodeWantedError: no code came.
        WrongCodeError: it is another one.
        LockedOutError: too many wrong ones.
    """
    if not second_factor.is_on(user):
        return
    if not code:
        raise CodeWantedError("enter the code of your app, or a recovery code")
    second_factor.require(user, code, address=address_of(request), now=now)
