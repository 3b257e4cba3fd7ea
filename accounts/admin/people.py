"""Staff pages of users, groups and keys."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import (
    AdminPasswordChangeForm,
    AuthenticationForm,
    UserChangeForm,
    UserCreationForm,
)
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextInputWidget,
)

from accounts import devices, keys, plans, recalling, second_factor, signing_in, summarising
from accounts.admin.remembered import Remembered
from accounts.choices import Scope
from accounts.models import ApiKey, Device, SecondFactor, SignInFailures, User
from project.core.admin import acts
from project.core.admin.asking import asking_back
from project.core.admin.lines import LinesField
from project.core.admin.pages import ReadOnly, carry_out, row_if_any, row_of
from project.core.errors import AppError

admin.site.unregister(Group)


class ConsoleSignInForm(AuthenticationForm):
    """How staff sign in to the console: with the code of their second factor, too."""

    code = forms.CharField(
        label="Code, if you use a second factor",
        max_length=40,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code"}),
    )

    def confirm_login_allowed(self, user: Any) -> None:
        """Refuse who may not use the console, and who shows no right code."""
        super().confirm_login_allowed(user)
        given = self.cleaned_data.get("code", "")
        try:
            signing_in.require_code(self.request, user, given, now=timezone.now())
        except AppError as error:
            raise ValidationError(str(error), code=error.code) from error


admin.site.login_form = ConsoleSignInForm


def _counted(rows: QuerySet[Any]) -> Coalesce:
    """Return how many of ``rows`` a user has, as a column; one for all keeps lists at one query."""
    counted = rows.order_by().values("user").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Groups of staff and what they may do."""


@admin.register(User)
class UserAdmin(DjangoUserAdmin, Remembered):  # type: ignore[type-arg]
    """People and services; the e-mail is the login."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = (
        "email",
        "name",
        "plan_now",
        "keys_held",
        "browsers",
        "is_staff",
        "is_active",
        "second_factor_at",
        "date_joined",
        "last_login",
    )
    list_filter = ("is_staff", "is_superuser", "is_active", "subscription__plan")
    change_form_before_template = "admin/accounts/user_glance.html"
    actions_detail = ("sign_out_everywhere",)
    search_fields = ("email", "name")
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined", "second_factor_at")
    actions = ("remove_second_factor",)
    fieldsets = (
        (None, {"fields": ("email", "password", "name")}),
        (
            "May",
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        ("Dates", {"fields": ("last_login", "date_joined", "second_factor_at")}),
    )

    @admin.action(description="Remove the second factor", permissions=["change"])
    @asking_back(
        title="Let these users sign in by password alone?",
        text="For those who lost both their app and their recovery codes. Make sure that it is they who ask.",
        yes="Remove it",
        count=lambda chosen: chosen.filter(second_factor_at__isnull=False).count(),
    )
    def remove_second_factor(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        """Let the chosen users sign in by password alone: for those who lost app and codes."""
        with_one = chosen.filter(second_factor_at__isnull=False)
        acts.each(self, request, with_one, second_factor.turn_off, what="Second factor removed")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        found: QuerySet[User] = super().get_queryset(request)
        held = ApiKey.objects.valid(at=timezone.now()).filter(user=OuterRef("pk"))
        seen = Device.objects.filter(user=OuterRef("pk"))
        return found.select_related(*plans.WITH_USER).annotate(
            keys_count=_counted(held), devices_count=_counted(seen)
        )

    @display(description="Plan", ordering="subscription__plan")
    def plan_now(self, row: User) -> str:
        if row.is_staff:
            return "Staff"
        plan = plans.current(row, at=timezone.now())
        return plan.title if plan else "—"

    @display(description="Keys", ordering="keys_count")
    def keys_held(self, row: Any) -> int:
        return int(row.keys_count)

    @display(description="Browsers", ordering="devices_count")
    def browsers(self, row: Any) -> int:
        return int(row.devices_count)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = row_if_any(User.objects.all(), object_id)
        glance = summarising.at_user(row, now=timezone.now()) if row else None
        may_keys = request.user.has_perm("accounts.change_apikey")
        extra = {**(extra_context or {}), "glance": glance, "may_rotate": may_keys}
        answer: HttpResponse = super().change_view(request, object_id, form_url, extra)
        return answer

    @action(
        description="Sign out everywhere",
        url_path="sign_out",
        icon="logout",
        permissions=["change"],
        dialog={
            "title": "Sign this user out everywhere?",
            "description": "All sessions end at once; keys go on.",
            "form_class": None,
            "form_submit_text": "Sign out",
        },
    )
    def sign_out_everywhere(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """End all sessions of one user."""

        def deed() -> str:
            user = row_of(User.objects.all(), object_id)
            count = devices.revoke_others(user, but="")
            self.log_change(request, user, f"Signed out of {count} browser(s).")
            return f"{user} is signed out of {count} browser(s)."

        return carry_out(request, deed, to=reverse("admin:accounts_user_change", args=[object_id]))

    def forget(self, row: User) -> None:
        recalling.forget_user(row.pk)

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 -- Django's signature
        form_url: str = "",
    ) -> HttpResponse:
        answer: HttpResponse = super().user_change_password(request, id, form_url)
        if request.method == "POST" and id.isdecimal():
            recalling.forget_user(int(id))
        return answer

    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("email", "usable_password", "password1", "password2"),
            },
        ),
    )


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """A key as staff make it or change it."""

    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="None chosen: everything but admin.",
    )
    allowed_networks = LinesField(
        required=False,
        help_text="Where the key may come from, one a line, e.g. 203.0.113.0/24; none: anywhere.",
    )

    class Meta:
        """All that staff may set."""

        model = ApiKey
        fields = ("user", "name", "scopes", "expires_at", "allowed_networks")

    def clean_allowed_networks(self) -> list[str]:
        """Refuse what is no list of networks."""
        found = self.cleaned_data["allowed_networks"]
        try:
            return keys.networks([str(one) for one in found])
        except keys.BadKeyRequestError as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        """Refuse scopes that the key's user may not have."""
        found: dict[str, Any] = super().clean() or {}
        user, scopes = (
            found.get("user", self.instance.user_id and self.instance.user),
            found.get("scopes"),
        )
        if isinstance(user, User) and scopes is not None:
            try:
                found["scopes"] = keys.granted(user, scopes)
            except keys.BadKeyRequestError as error:
                self.add_error("scopes", str(error))
        return found


@admin.register(ApiKey)
class ApiKeyAdmin(Remembered):
    """Keys; the secret itself is never stored, so it is shown once, when the key is made."""

    form = ApiKeyForm
    list_display = (
        "prefix",
        "name",
        "user",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
    )
    list_filter = ("revoked_at",)
    list_select_related = ("user",)
    search_fields = ("prefix", "name", "user__email")
    readonly_fields = ("prefix", "created_at", "revoked_at", "last_used_at")
    autocomplete_fields = ("user",)
    fields = (
        "user",
        "name",
        "scopes",
        "expires_at",
        "allowed_networks",
        "prefix",
        "created_at",
        "revoked_at",
        "last_used_at",
    )
    actions = ("revoke",)
    actions_row = ("rotate",)
    actions_detail = ("rotate",)

    @action(
        description="Rotate",
        url_path="rotate",
        icon="autorenew",
        permissions=["change"],
        dialog={
            "title": "Make a new key in place of this one?",
            "description": "The new one may the same and is shown once; this one is turned away at once.",
            "form_class": None,
            "form_submit_text": "Rotate",
        },
    )
    def rotate(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Take one key back and make another that may the same."""

        def deed() -> str:
            key = row_of(ApiKey.objects.select_related("user"), object_id)
            new = keys.rotate(key, now=timezone.now())
            self.log_change(request, key, f"Rotated: {new.key.prefix}… took its place.")
            return f"The new key of {key.user}, shown this once: {new.secret}"

        to = reverse("admin:accounts_apikey_change", args=[object_id])
        return carry_out(request, deed, to=to)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:  # noqa: FBT001 -- Django's signature
        if change:
            super().save_model(request, obj, form, change)
            return
        wish = keys.Wish(obj.name, obj.scopes, obj.expires_at, obj.allowed_networks)
        made = keys.create(obj.user, wish, now=timezone.now())
        obj.pk = made.key.pk
        messages.warning(request, f"The key, shown this once: {made.secret}")

    def forget(self, row: ApiKey) -> None:
        recalling.forget_key(row.digest)

    @admin.action(description="Revoke the chosen keys", permissions=["change"])
    @asking_back(
        title="Revoke these keys?",
        text="Whoever uses one is turned away at once; a revoked key never holds again.",
        yes="Revoke",
        count=lambda chosen: chosen.filter(revoked_at__isnull=True).count(),
    )
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiKey]) -> None:
        """Take the chosen keys back at once."""
        now = timezone.now()
        acts.each(self, request, chosen, lambda key: keys.revoke(key, now=now), what="Revoked")


@admin.register(Device)
class DeviceAdmin(ReadOnly):
    """Browsers in which users are signed in."""

    list_display = ("user", "agent", "address", "first_seen_at", "last_seen_at")
    list_select_related = ("user",)
    search_fields = ("user__email", "agent")
    fields = ("user", "agent", "address", "first_seen_at", "last_seen_at")
    actions = ("sign_out",)

    @admin.action(description="Sign out at once", permissions=["sign_out"])
    @asking_back(
        title="Sign these browsers out?",
        text="Their sessions end at once; the users may sign in again.",
        yes="Sign out",
        count=lambda chosen: chosen.count(),
    )
    def sign_out(self, request: HttpRequest, chosen: QuerySet[Device]) -> None:
        """End the chosen sessions at once."""
        acts.each(
            self,
            request,
            list(chosen),
            lambda device: devices.revoke(device.user, device.pk),
            what="Signed out",
        )

    def has_sign_out_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.delete_device")


@admin.register(SecondFactor)
class SecondFactorAdmin(ReadOnly):
    """Who signs in with a code, or has begun to; secrets are not shown."""

    list_display = ("user", "since")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    fields = ("user", "since")
    readonly_fields = ("since",)

    @admin.display(description="On since")
    def since(self, row: SecondFactor) -> Any:
        return row.user.second_factor_at


@admin.register(SignInFailures)
class SignInFailuresAdmin(ReadOnly):
    """Failed sign-ins, by digests; deleting a row lets its owner try again."""

    list_display = ("name", "failures", "first_failed_at", "locked_until")
    search_fields = ("name",)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("accounts.delete_signinfailures")
