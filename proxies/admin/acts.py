"""What staff may do to proxies from their list and pages; each act asks back first."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from project.core.admin import acts
from project.core.admin.asking import asking_back
from project.core.admin.pages import ReadOnly, caller_of, row_of
from proxies import checking, managing
from proxies.choices import Pool
from proxies.models import Proxy


class MoveForm(forms.Form):
    """Where to."""

    pool = forms.ChoiceField(choices=Pool.choices, widget=UnfoldAdminSelectWidget)


class BanForm(forms.Form):
    """From which site, and for how long."""

    target = forms.CharField(
        max_length=255,
        widget=UnfoldAdminTextInputWidget,
        help_text="A host, e.g. api.example.com; its registered domain counts.",
    )
    hours = forms.DecimalField(
        min_value=0,
        max_value=24 * 365,
        initial=24,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="A ban that lasts longer already stays.",
    )


class ProxyActs(ReadOnly):
    """Acts on proxies, mixed into their admin."""

    def has_manage_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Say whether the person may change proxies."""
        return request.user.has_perm("proxies.change_proxy")

    @admin.action(description="Check now", permissions=["manage"])
    @asking_back(
        title="Check these proxies now?",
        text="A round of validation checks them, due or not; one round is at work at a time.",
        yes="Check",
        count=lambda chosen: managing.blockable(chosen).count(),
    )
    def check_now(self, request: HttpRequest, chosen: QuerySet[Proxy]) -> None:
        """Ask for a round of the chosen proxies."""

        def deed() -> str:
            selection = checking.Selection(ids=list(chosen.values_list("pk", flat=True)))
            run = checking.submit(selection, by=caller_of(request), now=timezone.now())
            page = reverse("admin:core_run_change", args=[run.pk])
            return format_html('They are <a href="{}">being checked</a>.', page)

        acts.together(self, request, managing.blockable(chosen), deed)

    @admin.action(description="Move to another pool", permissions=["manage"])
    @asking_back(
        title="Move these proxies to another pool?",
        text="Healthy ones move, with a score in the middle of the pool: staff's word weighs as "
        "much as four checks, and later checks and reports weigh against it.",
        yes="Move",
        count=lambda chosen: managing.movable(chosen).count(),
        form_class=MoveForm,
    )
    def move(self, request: HttpRequest, chosen: QuerySet[Proxy], form: MoveForm) -> None:
        """Put the chosen proxies into a pool."""
        pool, now = form.cleaned_data["pool"], timezone.now()
        acts.together(
            self,
            request,
            managing.movable(chosen),
            lambda: f"Moved {managing.move(chosen, pool=pool, now=now)} to {pool}.",
        )

    @admin.action(description="Ban for a target", permissions=["manage"])
    @asking_back(
        title="Keep these proxies from a site?",
        text="They aren't lent for this site until the ban ends; other sites don't notice.",
        yes="Ban",
        count=lambda chosen: chosen.count(),
        form_class=BanForm,
    )
    def ban(self, request: HttpRequest, chosen: QuerySet[Proxy], form: BanForm) -> None:
        """Ban the chosen proxies at one site."""
        target, now = form.cleaned_data["target"], timezone.now()
        lasts = timedelta(hours=float(form.cleaned_data["hours"]))

        def deed() -> str:
            banned = managing.ban(chosen, target=target, lasts=lasts, now=now)
            return f"Banned {banned} at {target}."

        acts.together(self, request, chosen, deed)

    @admin.action(description="Retire", permissions=["manage"])
    @asking_back(
        title="Retire these proxies?",
        text="Their leases end, and they aren't checked until a list names them again.",
        yes="Retire",
        count=lambda chosen: managing.retirable(chosen).count(),
    )
    def retire(self, request: HttpRequest, chosen: QuerySet[Proxy]) -> None:
        """Retire the chosen proxies."""
        now, concerned = timezone.now(), managing.retirable(chosen)
        acts.together(
            self, request, concerned, lambda: f"Retired {managing.retire(chosen, now=now)}."
        )

    @admin.action(description="Take out, and end their leases", permissions=["manage"])
    @asking_back(
        title="Take these proxies out for good?",
        text="Their leases end; no list brings them back, only “Let back in” does.",
        yes="Take out",
        count=lambda chosen: managing.blockable(chosen).count(),
    )
    def take_out(self, request: HttpRequest, chosen: QuerySet[Proxy]) -> None:
        """Block the chosen proxies."""
        now, concerned = timezone.now(), managing.blockable(chosen)
        acts.together(
            self, request, concerned, lambda: f"Took out {managing.block(chosen, now=now)}."
        )

    @admin.action(description="Let back in", permissions=["manage"])
    @asking_back(
        title="Let these proxies back in?",
        text="Those that were taken out or retired are checked again, at once.",
        yes="Let in",
        count=lambda chosen: managing.returnable(chosen).count(),
    )
    def let_in(self, request: HttpRequest, chosen: QuerySet[Proxy]) -> None:
        """Let blocked and retired ones be checked again."""
        now, concerned = timezone.now(), managing.returnable(chosen)
        acts.together(
            self,
            request,
            concerned,
            lambda: f"{managing.unblock(chosen, now=now)} will be checked again.",
        )

    @action(
        description="Reveal credentials",
        url_path="reveal",
        icon="visibility",
        permissions=["manage"],
        dialog={
            "title": "Show user name and password?",
            "description": "They are shown here once; that you saw them is written down.",
            "form_class": None,
            "form_submit_text": "Show",
        },
    )
    def reveal(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Show a proxy's credentials, in the dialog that asked."""
        proxy = row_of(Proxy.objects.all(), object_id)
        url = managing.reveal(proxy, by=caller_of(request))
        self.log_change(request, proxy, "Credentials revealed.")
        shown = {"url": url, "has_any": bool(proxy.username or proxy.password)}
        page = render_to_string("admin/proxies/proxy/credentials.html", shown, request)
        answer = HttpResponse(page)
        answer["Cache-Control"] = "no-store"
        return answer
