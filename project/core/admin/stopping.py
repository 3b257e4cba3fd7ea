"""The staff page of the switches: what can be stopped as a whole, and what is."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from project.core import halting
from project.core.admin import pages
from project.core.models import Halt

MAY_SWITCH = "core.change_halt"


@admin.register(Halt)
class HaltAdmin(pages.ReadOnly):
    """All switches, each with what it stops and the work that it concerns."""

    search_fields = ("switch", "kind", "why")

    def get_urls(self) -> list[URLPattern]:
        stop = self.admin_site.admin_view(require_POST(self.stop))
        release = self.admin_site.admin_view(require_POST(self.release))
        return [
            path("<slug:name>/stop/", stop, name="core_halt_stop"),
            path("<slug:name>/release/", release, name="core_halt_release"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the switches."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Switches",
            "opts": self.opts,
            "states": halting.states(),
            "may_switch": request.user.has_perm(MAY_SWITCH),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/core/halt/switches.html", context)

    def stop(self, request: HttpRequest, name: str) -> HttpResponse:
        """Stop what a switch stops."""
        return self._turn(request, name, is_on=False)

    def release(self, request: HttpRequest, name: str) -> HttpResponse:
        """Let it go on."""
        return self._turn(request, name, is_on=True)

    @staticmethod
    def _turn(request: HttpRequest, name: str, *, is_on: bool) -> HttpResponse:
        if not request.user.has_perm(MAY_SWITCH):
            raise PermissionDenied

        def deed() -> str:
            switch, by, now = halting.find(name), pages.caller_of(request), timezone.now()
            if is_on:
                halting.release(switch, by=by, now=now)
                return f"{switch.label} goes on."
            halting.stop(switch, why=request.POST.get("why", "").strip(), by=by, now=now)
            return f"{switch.label} is stopped."

        return pages.carry_out(request, deed, to=reverse("admin:core_halt_changelist"))
