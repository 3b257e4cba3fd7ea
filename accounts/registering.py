"""Who may make an account, and how a password is set, changed and forgotten."""

from django.conf import settings
from django.contrib.auth import password_validation
from django.contrib.auth.hashers import make_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.http import urlsafe_base64_decode

from accounts import mailing, recalling
from accounts.models import User
from project.core.errors import FieldProblem, ForbiddenError, InvalidInputError


class RegistrationClosedError(ForbiddenError):
    """Only staff make accounts here."""

    code = "registration_closed"
    title = "Registration is closed"


class WeakPasswordError(InvalidInputError):
    """The password is too easy to guess."""

    code = "weak_password"
    title = "The password is too weak"


class WrongPasswordError(InvalidInputError):
    """The current password is another one."""

    code = "wrong_password"
    title = "Wrong password"


class BadTokenError(InvalidInputError):
    """The link was used, is too old, or never was one."""

    code = "bad_token"
    title = "The link does not hold any more"


def is_open() -> bool:
    """Say whether anybody may make an account."""
    return bool(settings.REGISTRATION == "open")


def register(email: str, password: str) -> None:
    """Make an account; for a known address nothing but a mail to its owner.

    Nothing tells the two apart: neither what is returned, nor how long it takes.

    Raises:
        RegistrationClosedError: only staff make accounts here.
        WeakPasswordError: the password is too easy to guess.
    """
    if not is_open():
        raise RegistrationClosedError("accounts are made by staff here")
    login = User.normalize_username(email)
    require_strong(password, user=User(email=login), field="password")
    known = User.objects.filter(email=login).first()
    if known is not None:
        make_password(password)  # as slow as making one
        mailing.registered_again(known)
        return
    try:
        with transaction.atomic():
            User.objects.create_user(login, password)
    except IntegrityError:  # a rival's; they got the same answer
        return


def require_strong(password: str, *, user: User, field: str) -> None:
    """Refuse a password that is too easy to guess.

    Raises:
        WeakPasswordError: with what is wrong, under ``field``.
    """
    try:
        password_validation.validate_password(password, user)
    except ValidationError as error:
        problems = tuple(
            FieldProblem(field, one.code or "invalid", " ".join(one.messages))
            for one in error.error_list
        )
        raise WeakPasswordError(" ".join(error.messages), fields=problems) from error


def change_password(user: User, *, current: str, new: str) -> None:
    """Set a new password; all other sessions end by it.

    Raises:
        WrongPasswordError: ``current`` is another one.
        WeakPasswordError: ``new`` is too easy to guess.
    """
    if not user.check_password(current):
        wrong = FieldProblem("current_password", "wrong_password", "this is not the password")
        raise WrongPasswordError("the current password is another one", fields=(wrong,))
    require_strong(new, user=user, field="new_password")
    _set(user, new)


def _set(user: User, password: str) -> None:
    user.set_password(password)
    user.save(update_fields=["password"])
    recalling.forget_user(user.pk)


def ask_for_reset(email: str) -> None:
    """Write to a known address how to set a new password; do nothing for others."""
    user = User.objects.filter(email=User.normalize_username(email), is_active=True).first()
    if user is not None:
        mailing.password_reset(user)


def owner_of(token: str) -> User | None:
    """Return whose password a link may set; None where it doesn't hold."""
    name, _, secret = token.partition(".")
    try:
        pk = int(urlsafe_base64_decode(name).decode("ascii"))
    except (ValueError, OverflowError):
        return None
    if not 0 < pk < 2**63:
        return None
    user = User.objects.filter(pk=pk, is_active=True).first()
    is_good = user is not None and default_token_generator.check_token(user, secret)
    return user if is_good else None


def reset_password(token: str, *, new: str) -> None:
    """Set a new password by the link of a mail; all sessions end by it, and the link, too.

    Raises:
        BadTokenError: the link was used, is too old, or never was one.
        WeakPasswordError: the password is too easy to guess.
    """
    user = owner_of(token)
    if user is None:
        raise BadTokenError("ask for a new link")
    require_strong(new, user=user, field="new_password")
    _set(user, new)
