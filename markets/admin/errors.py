"""Staff pages of failures: the log with its chart, and the alerts."""

from datetime import timedelta
from typing import Any, ClassVar, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator

from markets import alerting, errorlog
from markets.admin.drawing import stacked
from markets.choices import ErrorClass
from markets.models import Alert, ApiErrorLog
from project.core.admin import acts, pages
from project.core.admin.asking import asking_back
from project.core.display import moment, pill
from project.core.moments import to_ms

#: Hours that the chart above the log may show.
SPANS: Final = ((24, "24 h"), (72, "3 days"), (168, "7 days"))


class LatelyFilter(admin.SimpleListFilter):
    """How long ago it happened."""

    title = "happened"
    parameter_name = "lately"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "In the last hour"), ("24", "In the last day"), ("168", "In the last week")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[ApiErrorLog]
    ) -> QuerySet[ApiErrorLog]:
        hours = self.value()
        if hours not in {"1", "24", "168"}:
            return queryset
        since = timezone.now() - timedelta(hours=int(hours))
        return queryset.filter(happened_ms__gte=to_ms(since))


@admin.register(ApiErrorLog)
class ApiErrorLogAdmin(pages.ReadOnly):
    """The log of failures; searched, filtered, and counted by class over time."""

    list_display = (
        *("happened", "kind", "exchange", "market", "timeframe", "code", "status", "message"),
        *("retryable", "egress"),
    )
    list_filter = ("error_class", "exchange", "is_retryable", LatelyFilter)
    search_fields = ("market", "collector", "message", "code", "egress", "run_id")
    ordering = ("-id",)
    paginator = InfinitePaginator
    list_before_template = "admin/markets/apierrorlog/chart.html"
    fields = (
        *("happened", "error_class", "is_retryable", "code", "status", "message", "exchange"),
        *("collector", "market", "timeframe", "egress", "attempt", "retry_after_s", "run"),
    )
    readonly_fields = fields

    class Media:
        """Its chart's look."""

        css: ClassVar = {"all": ("millrace/markets.css",)}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list below the chart of the last hours; ``span`` is the chart's own."""
        asked = request.GET.get("span", "")
        hours = next((hours for hours, _ in SPANS if str(hours) == asked), SPANS[0][0])
        if "span" in request.GET:  # the list knows no such filter
            query: Any = request.GET.copy()
            query.pop("span")
            request.GET = query
        moments, counts = errorlog.by_hour(now=timezone.now(), hours=hours)
        chart = stacked(moments, counts, dict(ErrorClass.choices))
        context: dict[str, Any] = {"error_chart": chart, "span": hours, "spans": SPANS}
        context |= extra_context or {}
        found: HttpResponse = super().changelist_view(request, context)
        return found

    @display(description="When", ordering="happened_ms")
    def happened(self, row: ApiErrorLog) -> SafeString:
        return moment(row.happened_at)

    @display(description="Class", ordering="error_class")
    def kind(self, row: ApiErrorLog) -> SafeString:
        return pill("warning" if row.is_retryable else "bad", row.get_error_class_display())

    @display(description="Retryable", boolean=True)
    def retryable(self, row: ApiErrorLog) -> bool:
        return row.is_retryable

    @display(description="Run")
    def run(self, row: ApiErrorLog) -> SafeString | str:
        if row.run_id is None:
            return "—"
        page = reverse("admin:core_run_change", args=[row.run_id])
        return format_html('<a class="mr-link" href="{}">Show the run</a>', page)


class StateFilter(admin.SimpleListFilter):
    """Open alerts, those that a success closed, or failures that are none yet."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("closed", "Closed"), ("counting", "No alert yet")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alert]) -> QuerySet[Alert]:
        match self.value():
            case "open":
                return queryset.filter(closed_at__isnull=True, raised_at__isnull=False)
            case "closed":
                return queryset.filter(closed_at__isnull=False)
            case "counting":
                return queryset.filter(raised_at__isnull=True)
        return queryset


@admin.register(Alert)
class AlertAdmin(pages.ReadOnly):
    """Alerts: raised after some failures in a row, closed by the next success."""

    list_display = ("state", "market", "collector", "failures", "kind", "message", "since", "care")
    list_filter = (StateFilter, "error_class", "market__exchange")
    list_select_related = ("market__exchange", "collector")
    search_fields = ("market__symbol", "collector__name", "message")
    ordering = ("-id",)
    paginator = InfinitePaginator
    fields = (
        *("market", "collector", "failures", "error_class", "message", "began_at", "last_at"),
        *("raised_at", "closed_at", "seen_at", "seen_by", "log"),
    )
    readonly_fields = fields
    actions = ("care_for_chosen",)
    actions_detail = ("take_care",)

    def has_manage_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return bool(request.user.has_perm("markets.change_alert"))

    @display(description="State")
    def state(self, alert: Alert) -> SafeString:
        if alert.closed_at:
            return pill("done", "Closed")
        return pill("bad", "Open") if alert.raised_at else pill("warning", "Counting")

    @display(description="Class", ordering="error_class")
    def kind(self, alert: Alert) -> str:
        return alert.get_error_class_display()

    @display(description="Failing since", ordering="began_at")
    def since(self, alert: Alert) -> SafeString:
        return moment(alert.began_at)

    @display(description="Taken care of by", ordering="seen_by")
    def care(self, alert: Alert) -> str:
        return alert.seen_by or "—"

    @display(description="Failures")
    def log(self, alert: Alert) -> SafeString:
        page = reverse("admin:markets_apierrorlog_changelist")
        query = f"?q={alert.collector.name}&exchange={alert.market.exchange.name}"
        return format_html('<a class="mr-link" href="{}{}">Show them</a>', page, query)

    @admin.action(description="Take care of the chosen alerts", permissions=["manage"])
    @asking_back(
        title="Do you take care of these?",
        text="Others see that you do. The next success closes an alert by itself.",
        yes="I take care",
        count=lambda chosen: chosen.filter(closed_at__isnull=True, seen_at__isnull=True).count(),
    )
    def care_for_chosen(self, request: HttpRequest, chosen: QuerySet[Alert]) -> None:
        """Say that whoever asks takes care of the chosen alerts."""
        who, now = str(request.user), timezone.now()
        acts.each(
            self,
            request,
            chosen,
            lambda alert: alerting.take_care(alert, user=who, now=now),
            what="Taken care of",
        )

    @action(
        description="I take care",
        url_path="take-care",
        icon="front_hand",
        permissions=["manage"],
        dialog={
            "title": "Do you take care of this?",
            "description": "Others see that you do. The next success closes the alert by itself.",
            "form_class": None,
            "form_submit_text": "I take care",
        },
    )
    def take_care(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Say that whoever asks takes care of the alert."""

        def deed() -> str:
            alert = pages.row_of(Alert.objects.all(), object_id)
            if not alerting.take_care(alert, user=str(request.user), now=timezone.now()):
                return "Somebody takes care of it already, or it is over."
            return "You take care of it."

        page = reverse("admin:markets_alert_change", args=[object_id])
        return pages.carry_out(request, deed, to=page)
