"""Staff pages of exchanges, markets and series; a market's page has the candlestick chart."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.paginator import InfinitePaginator
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
)

from markets import (
    auditing,
    backfilling,
    charting,
    collecting,
    configuring,
    discovering,
    quality,
    reading,
)
from markets.admin import imports
from markets.admin.marketquality import quality_of
from markets.admin.showing import at, span
from markets.backfilling import Wanted
from markets.choices import Origin
from markets.models import CollectorConfig, Exchange, Market, Series
from project.core.admin import acts, pages
from project.core.admin.asking import asking_back
from project.core.display import moment, pill
from project.core.errors import InvalidInputError, NotFoundError
from project.core.moments import to_ms


@admin.register(Exchange)
class ExchangeAdmin(pages.ReadOnly):
    """Exchanges; a collector file makes them."""

    list_display = ("name", "title", "limits", "refreshed_at")
    fields = ("name", "title", "limits", "refreshed_at", "created_at")
    readonly_fields = ("limits",)
    search_fields = ("name", "title")
    ordering = ("name",)
    actions = ("read_markets",)

    @display(description="One address may ask for")
    def limits(self, exchange: Exchange) -> str:
        """Answer what holds beside each collector's own rate, and who said so."""
        found = " · ".join(map(str, configuring.rates_of(exchange))) or "no limit is known"
        return f"{found} ({'told by the exchange' if exchange.rate_limits else 'as ccxt knows'})"

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("markets.change_market"))

    @admin.action(description="Read the lists of markets now", permissions=["manage"])
    @asking_back(
        title="Read the lists of markets now?",
        text="Each exchange that has a collector is asked which markets it has.",
        yes="Read",
        count=lambda chosen: chosen.filter(collectors__isnull=False).distinct().count(),
    )
    def read_markets(self, request: HttpRequest, chosen: QuerySet[Exchange]) -> None:
        """Ask for the list of markets of each chosen exchange that has a collector."""
        by, now = pages.caller_of(request), timezone.now()

        def ask(exchange: Exchange) -> bool:
            collector = CollectorConfig.objects.filter(exchange=exchange).order_by("name").first()
            if collector is None:
                text = f"{exchange} has no collector that tells how to ask it."
                self.message_user(request, text, messages.WARNING)
                return False
            discovering.ask(collector, by=by, now=now)
            return True

        acts.each(self, request, chosen, ask, what="Asked for its list of markets")


class RangeForm(BaseDialogForm):
    """A range to be asked for again."""

    timeframe = forms.ChoiceField(widget=UnfoldAdminSelectWidget())
    start = forms.SplitDateTimeField(widget=UnfoldAdminSplitDateTimeWidget())
    end = forms.SplitDateTimeField(widget=UnfoldAdminSplitDateTimeWidget(), help_text="exclusive")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = Series.objects.filter(market_id=pages.key_of(str(self.object_id))).values_list(
            "timeframe", flat=True
        )
        self.fields["timeframe"].choices = [(name, name) for name in found]


@admin.register(Market)
class MarketAdmin(ModelAdmin):
    """Markets: enabled by staff, everything else is what the exchange says."""

    list_display = ("name", "base", "quote", "enabled", "is_listed")
    list_display_links = ("name",)
    list_filter = ("enabled", "exchange", "is_listed")
    list_select_related = ("exchange",)
    search_fields = ("symbol", "base", "quote")
    ordering = ("-enabled", "exchange__name", "symbol")
    show_full_result_count = False
    paginator = InfinitePaginator
    fields = ("exchange", "symbol", "base", "quote", "exchange_symbol", "enabled", "is_listed")
    readonly_fields = ("exchange", "symbol", "base", "quote", "exchange_symbol", "is_listed")
    actions = ("enable", "disable")
    actions_list = ("open_import",)
    actions_detail = (
        "collect_now",
        "check_quality",
        # in a menu: side by side they leave no room for the market's name
        {
            "title": "Repair",
            "icon": "healing",
            "items": ["backfill_gaps", "backfill_range", "audit_now"],
        },
    )
    change_form_outer_before_template = "admin/markets/market/page.html"

    class Media:
        """Its charts' look."""

        css: ClassVar = {"all": ("millrace/markets.css",)}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    @display(description="Market", ordering="symbol")
    def name(self, market: Market) -> str:
        return str(market)

    def get_urls(self) -> list[URLPattern]:
        feed = self.admin_site.admin_view(self.chart)
        own = path("<int:market_id>/chart.json", feed, name="markets_market_chart")
        files = self.admin_site.admin_view(self.import_candles)
        return [own, path("import/", files, name="markets_market_import"), *super().get_urls()]

    def import_candles(self, request: HttpRequest) -> HttpResponse:
        """Take a candle file of another tool."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        return imports.page(request, {**self.admin_site.each_context(request), "opts": self.opts})

    @action(description="Import candles", url_path="import-candles", icon="upload_file")
    def open_import(self, request: HttpRequest) -> HttpResponse:
        """Lead to the page that takes candle files; changes nothing."""
        return HttpResponseRedirect(reverse("admin:markets_market_import"))

    def chart(self, request: HttpRequest, market_id: int) -> JsonResponse:
        """Answer a page of the chart (README, "The chart's feed")."""
        if not self.has_view_permission(request):
            return JsonResponse({"detail": "You may not see markets"}, status=403)
        asked = {name: request.GET.get(name, "") for name in ("timeframe", "before", "limit")}
        try:
            market = reading.market_by_id(market_id)
            found = charting.feed(market, **asked, now=timezone.now())
        except NotFoundError as error:
            return JsonResponse({"code": error.code, "detail": str(error)}, status=404)
        except InvalidInputError as error:
            return JsonResponse({"code": error.code, "detail": str(error)}, status=400)
        return JsonResponse(found)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        market = kwargs.get("obj") or context["original"]
        context["timeframes"] = charting.kept_in(market)
        context["made"] = charting.makeable(context["timeframes"])
        context["chart_url"] = reverse("admin:markets_market_chart", args=[market.pk])
        context["series"] = charting.coverage_of(market)
        context |= quality_of(market)
        found: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return found

    @admin.action(description="Enable the chosen markets", permissions=["change"])
    @asking_back(
        title="Enable these markets?",
        text="They are collected where a collector names them, checked and repaired.",
        yes="Enable",
        count=lambda chosen: chosen.filter(enabled=False).count(),
    )
    def enable(self, request: HttpRequest, chosen: QuerySet[Market]) -> None:
        """Let the chosen markets be collected, checked and repaired."""
        off = chosen.filter(enabled=False)
        acts.together(self, request, off, lambda: f"Enabled {off.update(enabled=True)} market(s).")

    @admin.action(description="Disable the chosen markets", permissions=["change"])
    @asking_back(
        title="Disable these markets?",
        text="They are left alone until enabled again; what is stored stays.",
        yes="Disable",
        count=lambda chosen: chosen.filter(enabled=True).count(),
    )
    def disable(self, request: HttpRequest, chosen: QuerySet[Market]) -> None:
        """Leave the chosen markets alone; what is stored stays."""
        on = chosen.filter(enabled=True)
        acts.together(self, request, on, lambda: f"Disabled {on.update(enabled=False)} market(s).")

    @action(
        description="Collect now",
        url_path="collect",
        icon="download",
        permissions=["change"],
        dialog={
            "title": "Collect now?",
            "description": "The collectors that name this market are run at once.",
            "form_class": None,
            "form_submit_text": "Collect",
        },
    )
    def collect_now(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ask for a run of each collector that names the market."""

        def deed() -> str:
            market = reading.market_by_id(pages.key_of(object_id))
            found = {configuring.collector_of(series) for series in market.series.all()}
            for collector in found:
                collecting.ask(collector, by=pages.caller_of(request), now=timezone.now())
            return f"Collecting: {', '.join(sorted(map(str, found))) or 'no collector names it'}."

        return pages.carry_out(request, deed, to=_page(object_id))

    @action(
        description="Check quality",
        url_path="check",
        icon="verified",
        permissions=["change"],
        dialog={
            "title": "Check the quality now?",
            "description": "Gaps are found, and backfill tasks made for those that are due.",
            "form_class": None,
            "form_submit_text": "Check",
        },
    )
    def check_quality(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ask for a quality check of the market."""

        def deed() -> str:
            market = reading.market_by_id(pages.key_of(object_id))
            quality.ask(market, "", by=pages.caller_of(request), now=timezone.now())
            return f"{market} is being checked."

        return pages.carry_out(request, deed, to=_page(object_id))

    @action(
        description="Audit",
        url_path="audit",
        icon="compare_arrows",
        permissions=["change"],
        dialog={
            "title": "Audit the stored candles?",
            "description": "A sample is asked for again and compared; nothing stored is changed.",
            "form_class": None,
            "form_submit_text": "Audit",
        },
    )
    def audit_now(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ask for an audit of the market."""

        def deed() -> str:
            market = reading.market_by_id(pages.key_of(object_id))
            auditing.ask(market, by=pages.caller_of(request), now=timezone.now())
            return f"{market} is compared with the exchange."

        return pages.carry_out(request, deed, to=_page(object_id))

    @action(
        description="Backfill gaps",
        url_path="backfill-gaps",
        icon="healing",
        permissions=["change"],
        dialog={
            "title": "Backfill the gaps of this market?",
            "description": "What is missing is asked for again at once.",
            "form_class": None,
            "form_submit_text": "Backfill",
        },
    )
    def backfill_gaps(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Make and start tasks for the open gaps of the market, due or not."""

        def deed() -> str:
            now = timezone.now()
            series = list(Series.objects.filter(market_id=pages.key_of(object_id)))
            made = sum(len(backfilling.make_tasks(one, now=now, any_time=True)) for one in series)
            backfilling.start_due(now=now, by=pages.caller_of(request))
            return f"Made {made} backfill task(s)."

        return pages.carry_out(request, deed, to=_page(object_id))

    @action(
        description="Backfill a range",
        url_path="backfill-range",
        icon="date_range",
        permissions=["change"],
        dialog={
            "title": "Backfill a range",
            "description": "Everything in it is asked for again; times are UTC.",
            "form_class": RangeForm,
            "form_submit_text": "Backfill",
        },
    )
    def backfill_range(self, request: HttpRequest, form: RangeForm, object_id: str) -> HttpResponse:
        """Make a task for a range that staff name."""

        def deed() -> str:
            told = form.cleaned_data
            series = reading.series_of(
                reading.market_by_id(pages.key_of(object_id)), told["timeframe"]
            )
            wanted = Wanted(series, to_ms(told["start"]), to_ms(told["end"]), origin=Origin.STAFF)
            task = backfilling.ask(wanted, by=pages.caller_of(request), now=timezone.now())
            return f"Backfill task {task.pk} was started: {backfilling.subject_of(task)}."

        return pages.carry_out(request, deed, to=_page(object_id))


def _page(market_id: object) -> str:
    return reverse("admin:markets_market_change", args=[market_id])


@admin.register(Series)
class SeriesAdmin(pages.ReadOnly):
    """Series: how far each has come, and what keeps it."""

    list_display = ("market", "timeframe", "state", "collected", "until", "checked", "last_error")
    list_filter = ("timeframe", "market__enabled", "market__exchange")
    list_select_related = ("market__exchange",)
    search_fields = ("market__symbol",)
    paginator = InfinitePaginator
    fields = ("market", "timeframe", "asked_for", "collected", "checked", "failures", "last_error")
    readonly_fields = fields

    @display(description="State", ordering="failures")
    def state(self, series: Series) -> str:
        if not series.market.enabled:
            return pill("paused", "Disabled")
        return pill("bad", f"{series.failures} failed") if series.failures else pill("good", "Good")

    @display(description="Collected", ordering="collected_at")
    def collected(self, series: Series) -> str:
        return moment(series.collected_at)

    @display(description="Until", ordering="collected_until_ms")
    def until(self, series: Series) -> str:
        return at(series.collected_until_ms)

    @display(description="Asked for")
    def asked_for(self, series: Series) -> str:
        return span(series.collected_from_ms, series.collected_until_ms)

    @display(description="Checked", ordering="checked_at")
    def checked(self, series: Series) -> str:
        return moment(series.checked_at)
