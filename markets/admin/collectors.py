"""Staff pages of collectors and of the rate budgets."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from markets import collecting, configuring
from markets.admin import collectorpages
from markets.admin.showing import at
from markets.models import CollectorConfig, RateBudget
from project.core.admin import acts, pages
from project.core.admin.asking import asking_back
from project.core.admin.lines import LinesField
from project.core.errors import AppError


class SymbolsField(LinesField):
    """What is collected: a symbol and its timeframes a line."""

    def line_of(self, thing: Any) -> str:
        """Return ``BTC/USDT 1m 1h``."""
        return " ".join([thing["symbol"], *thing["timeframes"]])

    def thing_of(self, line: str) -> Any:
        """Return the symbol with its timeframes, as a file has them."""
        symbol, *timeframes = line.replace(",", " ").split()
        return {"symbol": symbol, "timeframes": timeframes}


class CollectorForm(forms.ModelForm[CollectorConfig]):
    """A collector, checked as strictly as a collector file."""

    symbols = SymbolsField(
        rows=6, help_text="A symbol and its timeframes a line, e.g. BTC/USDT 1m 1h."
    )

    class Meta:
        """All but what machines write."""

        model = CollectorConfig
        exclude = ("source", "created_at")  # noqa: DJ006 -- every field of a file is edited here

    def clean(self) -> dict[str, Any] | None:
        """Refuse what a file could not say either."""
        cleaned = super().clean()
        if self.errors:
            return cleaned
        draft = CollectorConfig(**(cleaned or {}))
        try:
            configuring.validate(draft)
        except AppError as error:
            raise ValidationError(str(error)) from error
        return cleaned


@admin.register(CollectorConfig)
class CollectorConfigAdmin(ModelAdmin):
    """Collectors: what is collected, how, and which way requests leave."""

    form = CollectorForm
    list_display = ("name", "exchange", "mode", "series_named", "egress", "enabled")
    list_filter = ("enabled", "exchange", "mode", "egress")
    list_select_related = ("exchange",)
    search_fields = ("name", "exchange__name")
    ordering = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "enabled", "exchange", "symbols")}),
        ("Mode", {"fields": ("mode", "start_at", "end_at")}),
        ("Requests", {"fields": (("request_limit", "concurrency"), "timeout_s", "egress")}),
        ("Rate limit", {"fields": (("rate_requests", "rate_per_s"),)}),
        ("Retries", {"fields": (("retry_attempts", "retry_base_s", "retry_max_s"),)}),
        ("Validation", {"fields": ("validation_policy", "price_jump_mad", "is_sparse")}),
        ("Addresses", {"fields": ("rest_url", "ws_url")}),
    )
    actions = ("run_chosen",)
    actions_detail = ("run_now", "next_cycle", "show_file")
    actions_list = ("import_files",)

    @display(description="Series")
    def series_named(self, collector: CollectorConfig) -> str:
        parts = [f"{one['symbol']} {', '.join(one['timeframes'])}" for one in collector.symbols]
        more = f" and {len(parts) - 3} more" if len(parts) > 3 else ""  # noqa: PLR2004
        return "; ".join(parts[:3]) + more

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.file)
        own = path("<int:collector_id>/file.yml", view, name="markets_collectorconfig_file")
        return [own, *super().get_urls()]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 -- Django's signature
        super().save_related(request, form, formsets, change)
        configuring.ensure_series(form.instance)

    def file(self, request: HttpRequest, collector_id: int) -> HttpResponse:
        """Answer the collector as a file."""
        found = CollectorConfig.objects.select_related("exchange").filter(pk=collector_id).first()
        if found is None or not self.has_view_permission(request):
            return HttpResponse(status=404)
        answer = HttpResponse(configuring.dump(found), content_type="application/yaml")
        answer["Content-Disposition"] = f'attachment; filename="{found.name}.yml"'
        return answer

    @action(
        description="Run now",
        url_path="run-now",
        icon="play_arrow",
        permissions=["change"],
        dialog={
            "title": "Run this collector now?",
            "description": "It collects what is new at once, besides its schedule.",
            "form_class": None,
            "form_submit_text": "Run",
        },
    )
    def run_now(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ask for a run of the collector."""

        def deed() -> str:
            collector = pages.row_of(CollectorConfig.objects.all(), object_id)
            collecting.ask(collector, by=pages.caller_of(request), now=timezone.now())
            return f"{collector} collects."

        to = reverse("admin:markets_collectorconfig_change", args=[object_id])
        return pages.carry_out(request, deed, to=to)

    @action(description="Next cycle", url_path="next-cycle", icon="route")
    def next_cycle(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer what the next cycle would do; changes nothing."""
        return collectorpages.plan_page(self, request, pages.key_of(object_id))

    @action(description="Import files", url_path="import", icon="upload_file")
    def import_files(self, request: HttpRequest) -> HttpResponse:
        """Show what files would change, and take them after that."""
        return collectorpages.import_page(self, request)

    @action(description="Download as a file", url_path="file", icon="description")
    def show_file(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer the collector as a file; changes nothing."""
        return self.file(request, pages.key_of(object_id))

    @admin.action(description="Run the chosen collectors now", permissions=["change"])
    @asking_back(
        title="Run these collectors now?",
        text="Each collects what is new at once, besides its schedule, unless it is at work.",
        yes="Run",
        count=lambda chosen: chosen.count(),
    )
    def run_chosen(self, request: HttpRequest, chosen: QuerySet[CollectorConfig]) -> None:
        """Ask for a run of each chosen collector that isn't at work."""
        by, now = pages.caller_of(request), timezone.now()
        acts.each(
            self,
            request,
            chosen,
            lambda collector: collecting.ask(collector, by=by, now=now),
            what="Asked for a run",
        )


@admin.register(RateBudget)
class RateBudgetAdmin(pages.ReadOnly):
    """What may leave each address for each exchange, over all processes."""

    list_display = ("exchange", "egress", "counted", "blocked_until", "block_reason", "failures")
    list_filter = ("exchange",)
    search_fields = ("exchange", "egress")
    fields = (
        *("exchange", "egress", "busy", "counted", "blocked_until", "block_reason", "failures"),
    )
    readonly_fields = ("busy", "counted")

    @display(description="Busy until, less the burst")
    def busy(self, budget: RateBudget) -> str:
        return at(budget.next_slot_us // 1000) if budget.next_slot_us else "—"

    @display(description="Used, as the exchange counts")
    def counted(self, budget: RateBudget) -> str:
        if budget.used is None or budget.used_limit is None or budget.used_at is None:
            return "—"
        return f"{budget.used:,} of {budget.used_limit:,} at {budget.used_at:%H:%M:%S}"
