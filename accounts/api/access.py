"""Making an account, signing in and out, passwords."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import auth
from django.middleware.csrf import get_token
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import devices, locking_out, plans, registering, second_factor, signing_in
from accounts.api.serializers import (
    Credentials,
    CsrfOut,
    MeOut,
    PasswordChange,
    PasswordReset,
    RegisteredOut,
    SignIn,
)
from accounts.backends import sight_of
from accounts.models import User
from project.core.api.callers import caller_of
from project.core.api.permissions import Anybody, InAccounts, IsKnown
from project.core.api.problems import NotAuthenticatedError
from project.core.api.schema import problem
from project.core.api.serializers import Input
from project.core.requests import address_of

if TYPE_CHECKING:
    from rest_framework.request import Request

_PROBLEM = "application/problem+json"


class WrongCredentialsError(NotAuthenticatedError):
    """The e-mail or the password is wrong; which one is not told."""

    code = "wrong_credentials"
    title = "Wrong e-mail or password"


class CodeWantedError(NotAuthenticatedError):
    """The password is right: the code of the second factor is wanted, too."""

    code = "second_factor_required"
    title = "A code is wanted"


class WrongCodeError(NotAuthenticatedError):
    """The code of the second factor is another one, or was used."""

    code = "wrong_code"
    title = "Wrong code"


#: What keeps somebody out is 401 here.
_KEPT_OUT = (
    signing_in.WrongCredentialsError,
    signing_in.CodeWantedError,
    second_factor.WrongCodeError,
)
_REFUSALS = {one.code: one for one in (WrongCredentialsError, CodeWantedError, WrongCodeError)}


def read(shape: type[Input], request: Request) -> dict[str, Any]:
    """Return the request's body, as ``shape`` wants it."""
    found = shape(data=request.data)
    found.is_valid(raise_exception=True)
    data: dict[str, Any] = found.validated_data
    return data


def user_of(request: Request) -> User:
    """Return the user who asks, or for whom a key does."""
    assert isinstance(request.user, User)  # noqa: S101 -- permissions let nobody else in
    return request.user


def _me(request: Request, user: User) -> dict[str, Any]:
    plan = plans.effective(user, at=timezone.now())
    scopes = caller_of(request).scopes
    facts = {name: getattr(user, name) for name in ("id", "email", "name", "date_joined")}
    return MeOut(
        {
            **facts,
            "is_staff": user.is_staff,
            "is_superuser": user.is_superuser,
            "plan": plan.name if plan else "",
            "scopes": None if scopes is None else sorted(scopes),
        }
    ).data


class Register(APIView):
    """Makes an account."""

    permission_classes = (Anybody,)
    authentication_classes = ()

    @extend_schema(
        operation_id="auth_register",
        summary="Make an account; a known address gets a mail and the same answer",
        auth=[],
        request=Credentials,
        responses={
            201: RegisteredOut,
            (403, _PROBLEM): problem("registration_closed", 403, "Registration is closed"),
        },
    )
    def post(self, request: Request) -> Response:
        asked = read(Credentials, request)
        registering.register(asked["email"], asked["password"])
        body = RegisteredOut({"email": User.normalize_username(asked["email"])}).data
        return Response(body, status=status.HTTP_201_CREATED)


class Login(APIView):
    """Begins a session."""

    permission_classes = (Anybody,)
    authentication_classes = ()

    @extend_schema(
        operation_id="auth_login",
        summary="Sign in: sets the session cookie",
        auth=[],
        request=SignIn,
        responses={
            200: MeOut,
            (401, _PROBLEM): problem("wrong_credentials", 401, "Wrong e-mail or password"),
            (429, _PROBLEM): problem("locked_out", 429, "Too many failed sign-ins"),
        },
    )
    def post(self, request: Request) -> Response:
        asked = read(SignIn, request)
        http = request._request  # noqa: SLF001 -- DRF has no public name for it
        try:
            user = signing_in.sign_in(http, **asked, now=timezone.now())
        except _KEPT_OUT as error:
            raise _REFUSALS[error.code](str(error)) from error
        return Response(_me(request, user))


class Logout(APIView):
    """Ends the session."""

    permission_classes = (IsKnown,)

    @extend_schema(
        operation_id="auth_logout", summary="Sign out", request=None, responses={204: None}
    )
    def post(self, request: Request) -> Response:
        read(Input, request)
        http = request._request  # noqa: SLF001 -- as above
        if http.session.session_key and caller_of(request).key_id is None:
            devices.forget(http.session.session_key)
            auth.logout(http)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Me(APIView):
    """Who asks."""

    permission_classes = (InAccounts,)

    @extend_schema(operation_id="auth_me", summary="Show who asks", responses={200: MeOut})
    def get(self, request: Request) -> Response:
        return Response(_me(request, user_of(request)))


class Csrf(APIView):
    """The token that unsafe requests of a cookie session need."""

    permission_classes = (Anybody,)
    authentication_classes = ()

    @extend_schema(
        operation_id="auth_csrf",
        summary="Get the CSRF token, as a value and as a cookie",
        auth=[],
        responses={200: CsrfOut},
    )
    def get(self, request: Request) -> Response:
        return Response({"csrf_token": get_token(request._request)})  # noqa: SLF001 -- as above


class ChangePassword(APIView):
    """Sets a new password for those who know the current one."""

    permission_classes = (InAccounts,)

    @extend_schema(
        operation_id="auth_password_change",
        summary="Change the password; all other sessions end",
        request=PasswordChange,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        if caller_of(request).key_id is not None:
            raise PermissionDenied("sign in to change the password: a key may not")
        asked = read(PasswordChange, request)
        user = user_of(request)
        http = request._request  # noqa: SLF001 -- as above
        email = user.email
        locking_out.require_open(email, address=address_of(http), now=timezone.now())
        try:
            registering.change_password(
                user, current=asked["current_password"], new=asked["new_password"]
            )
        except registering.WrongPasswordError:
            locking_out.failed(email, address=address_of(http), now=timezone.now())
            raise
        keep_signed_in(http, user)
        return Response(status=status.HTTP_204_NO_CONTENT)


def keep_signed_in(http: Any, user: User) -> None:
    """Let this session, and no other, outlive a change of the password."""
    devices.revoke_others(user, but=http.session.session_key or "")
    old = http.session.session_key
    auth.update_session_auth_hash(http, user)
    devices.forget(old)
    http.session.save()
    devices.begun(user, http.session.session_key or "", sight_of(http), now=timezone.now())


class ResetPassword(APIView):
    """Sets a new password for those who can read the user's mail."""

    permission_classes = (Anybody,)
    authentication_classes = ()

    @extend_schema(
        operation_id="auth_password_reset",
        summary="Ask for a link by mail, or set a new password with its token",
        auth=[],
        request=PasswordReset,
        responses={202: None, 204: None},
    )
    def post(self, request: Request) -> Response:
        asked = read(PasswordReset, request)
        if "email" in asked:
            registering.ask_for_reset(asked["email"])
            return Response(status=status.HTTP_202_ACCEPTED)
        registering.reset_password(asked["token"], new=asked["new_password"])
        return Response(status=status.HTTP_204_NO_CONTENT)
