"""Pages of people's own accounts: signing in, registering, keys, devices, plan, password."""

from collections.abc import Callable
from typing import Any, Final

import segno
from django import forms
from django.contrib import auth, messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import (
    devices,
    keys,
    locking_out,
    noting,
    registering,
    second_factor,
    signing_in,
    summarising,
)
from accounts.backends import sight_of
from accounts.choices import Scope
from accounts.models import User
from project.core.errors import AppError
from project.core.requests import address_of

_HOME: Final = "/account"
_both = require_http_methods(["GET", "HEAD", "POST"])
_signed_in = login_required(login_url="/sign-in")
_secret = sensitive_post_parameters()


class _Email(forms.Form):
    email = forms.CharField(
        label="E-mail",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )


def _password(label: str, *, new: bool) -> forms.CharField:
    attrs = {"autocomplete": "new-password" if new else "current-password"}
    widget = forms.PasswordInput(attrs=attrs)
    return forms.CharField(label=label, max_length=1000, strip=False, widget=widget)


def _code(label: str, *, required: bool = True) -> forms.CharField:
    attrs = {"autocomplete": "one-time-code", "inputmode": "text"}
    widget = forms.TextInput(attrs=attrs)
    return forms.CharField(label=label, max_length=40, required=required, widget=widget)


class CodeForm(forms.Form):
    """A code of the app."""

    code = _code("Code")


class SignInForm(_Email):
    """Who signs in."""

    password = _password("Password", new=False)
    code = _code("Code, if you use a second factor", required=False)


class RegisterForm(_Email):
    """Who makes an account."""

    email = forms.EmailField(label="E-mail", widget=_Email.base_fields["email"].widget)
    password = _password("Password", new=True)


class NewPasswordForm(forms.Form):
    """A new password, by the link of a mail."""

    new_password = _password("New password", new=True)


class ChangePasswordForm(NewPasswordForm):
    """The current password and the new one."""

    current_password = _password("Current password", new=False)
    field_order = ("current_password", "new_password")


class KeyForm(forms.Form):
    """A key to be made."""

    name = forms.CharField(label="What is it for?", max_length=100, required=False)
    scopes = forms.MultipleChoiceField(
        label="It may",
        choices=[choice for choice in Scope.choices if choice[0] != Scope.ADMIN],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: all of these.",
    )


def _page(request: HttpRequest, name: str, **facts: Any) -> HttpResponse:
    answer = render(request, f"accounts/{name}.html", {"is_open": registering.is_open(), **facts})
    answer["Cache-Control"] = "no-store"
    return answer


def _tried(form: forms.Form, deed: Callable[[dict[str, Any]], Any]) -> bool:
    """Do what the form asks for; say at the form why it can't be done."""
    if not form.is_valid():
        return False
    try:
        deed(form.cleaned_data)
    except AppError as error:
        form.add_error(None, str(error))
        return False
    return True


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 -- the decorator lets nobody else in
    return request.user


@_secret
@_both
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign a person in and lead them where they wanted to go."""
    place = request.POST.get("next") or request.GET.get("next") or _HOME
    if not url_has_allowed_host_and_scheme(place, allowed_hosts=None):
        place = _HOME
    form = SignInForm(request.POST or None)

    def begin(asked: dict[str, Any]) -> None:
        signing_in.sign_in(request, **asked, now=timezone.now())

    if request.method == "POST" and _tried(form, begin):
        return HttpResponseRedirect(place)
    return _page(request, "sign_in", form=form, next=place)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    if request.session.session_key:
        devices.forget(request.session.session_key)
    auth.logout(request)
    return HttpResponseRedirect("/sign-in")


@_secret
@_both
def register(request: HttpRequest) -> HttpResponse:
    """Make an account."""
    form = RegisterForm(request.POST or None)
    if request.method == "POST" and _tried(form, lambda asked: registering.register(**asked)):
        messages.success(request, "Your account is ready: sign in.")
        return HttpResponseRedirect("/sign-in")
    return _page(request, "register", form=form)


@_both
def forgotten(request: HttpRequest) -> HttpResponse:
    """Send a link that sets a new password."""
    form = _Email(request.POST or None)
    if request.method == "POST" and form.is_valid():
        registering.ask_for_reset(form.cleaned_data["email"])
        messages.success(request, "If there is such an account, a mail with a link is on its way.")
        return HttpResponseRedirect("/sign-in")
    return _page(request, "forgotten", form=form)


@_secret
@_both
def new_password(request: HttpRequest, token: str) -> HttpResponse:
    """Set a new password by the link of a mail."""
    form = NewPasswordForm(request.POST or None)

    def change(asked: dict[str, Any]) -> None:
        registering.reset_password(token, new=asked["new_password"])

    if request.method == "POST" and _tried(form, change):
        messages.success(request, "The new password holds: sign in.")
        return HttpResponseRedirect("/sign-in")
    holds = registering.owner_of(token) is not None
    return _page(request, "new_password", form=form, holds=holds)


@_signed_in
@_both
def account(request: HttpRequest) -> HttpResponse:
    """Show keys, devices and plan; make a key, which is shown this once."""
    user, made = _user(request), []
    noting.session_used(
        request.session.session_key or "", sight_of(request), user_id=user.pk, now=timezone.now()
    )
    form = KeyForm(request.POST or None)
    now = timezone.now()

    def make(asked: dict[str, Any]) -> None:
        by = keys.caller_of_user(user)
        made.append(keys.create(user, keys.Wish(**asked), by=by, now=now).secret)

    if request.method == "POST" and _tried(form, make):
        form = KeyForm()
    return _page(
        request,
        "account",
        form=form,
        secret=made[0] if made else "",
        session_key=request.session.session_key,
        glance=summarising.at_user(user, now=now),
    )


def _done(request: HttpRequest, deed: Callable[[], Any], said: str) -> HttpResponse:
    try:
        deed()
    except AppError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    return HttpResponseRedirect(_HOME)


@_signed_in
@require_POST
def revoke_key(request: HttpRequest, key_id: int) -> HttpResponse:
    """Take an own key back."""
    user, now = _user(request), timezone.now()
    by = keys.caller_of_user(user)
    deed = lambda: keys.revoke_own(user, key_id, by=by, now=now)  # noqa: E731 -- one line
    return _done(request, deed, "The key is revoked.")


@_signed_in
@require_POST
def revoke_device(request: HttpRequest, device_id: int) -> HttpResponse:
    """Sign an own browser out."""
    return _done(request, lambda: devices.revoke(_user(request), device_id), "It is signed out.")


@_signed_in
@require_POST
def revoke_others(request: HttpRequest) -> HttpResponse:
    """Sign all other browsers out."""
    here = request.session.session_key or ""
    deed = lambda: devices.revoke_others(_user(request), but=here)  # noqa: E731 -- one line
    return _done(request, deed, "All others are signed out.")


@_secret
@_signed_in
@_both
def second_factor_page(request: HttpRequest) -> HttpResponse:
    """Turn the second factor on, by a picture for an app, or off."""
    user, recovery = _user(request), []
    deed, now = request.POST.get("deed", ""), timezone.now()
    if deed == "begin" and not second_factor.is_on(user):
        second_factor.begin(user)
        return HttpResponseRedirect("/account/second-factor")
    form = CodeForm(request.POST or None)
    is_off_wanted = deed == "off"

    def turn_on(asked: dict[str, Any]) -> None:
        recovery.extend(second_factor.confirm(user, asked["code"], now=now))
        # whoever came in by the password alone goes out
        devices.revoke_others(user, but=request.session.session_key or "")

    def turn_off(asked: dict[str, Any]) -> None:
        second_factor.require(user, asked["code"], address=address_of(request), now=now)
        second_factor.turn_off(user)

    if request.method == "POST" and _tried(form, turn_off if is_off_wanted else turn_on):
        if is_off_wanted:
            messages.success(request, "The second factor is off.")
            return HttpResponseRedirect(_HOME)
        form = CodeForm()
    is_on = second_factor.is_on(user)
    secret = second_factor.begun(user)
    return _page(
        request,
        "second_factor",
        form=form,
        recovery=recovery,
        is_on=is_on,
        is_missing=second_factor.is_missing(user),
        secret=secret,
        picture=_qr(second_factor.address(user, secret)) if secret else "",
    )


def _qr(text: str) -> SafeString:
    """Return a QR code as SVG, drawn here: the secret goes to no other site."""
    picture = segno.make(text, error="m").svg_inline(scale=5, border=4, light="#fff")
    return SafeString(picture)


@_secret
@_signed_in
@_both
def change_password(request: HttpRequest) -> HttpResponse:
    """Set a new password for those who know the current one."""
    form = ChangePasswordForm(request.POST or None)
    user, address = _user(request), address_of(request)
    email = user.email

    def change(asked: dict[str, Any]) -> None:
        now = timezone.now()
        locking_out.require_open(email, address=address, now=now)
        current, new = asked["current_password"], asked["new_password"]
        try:
            registering.change_password(user, current=current, new=new)
        except registering.WrongPasswordError:
            locking_out.failed(email, address=address, now=now)
            raise

    if request.method == "POST" and _tried(form, change):
        devices.revoke_others(user, but=request.session.session_key or "")
        devices.forget(request.session.session_key or "")
        auth.update_session_auth_hash(request, user)
        messages.success(request, "The new password holds; all other browsers are signed out.")
        return HttpResponseRedirect(_HOME)
    return _page(request, "change_password", form=form)
