"""Staff pages of quality: the report, the heat map, and why a day has its score."""

from typing import Any, ClassVar, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator

from markets import reporting, scoring, summarising
from markets.admin.drawing import level
from markets.admin.showing import at, span
from markets.choices import FindingKind
from markets.models import Exchange, Finding, Gap, QualitySummary, Series
from project.core.admin.pages import ReadOnly
from project.core.display import pill
from project.core.moments import from_ms, to_ms

#: Hours that the report may look back.
SPANS: Final = ((24, "24 h"), (72, "3 days"), (168, "7 days"), (720, "30 days"))
#: Days of the heat map, and series on one page.
DAYS: Final = 30
ON_A_PAGE: Final = 50
#: Scores below these are bad, or want a look.
BAD, SO_SO = 80.0, 99.0


def tone(score: float) -> str:
    """Return the state whose colour a score has."""
    return "bad" if score < BAD else "warning" if score < SO_SO else "good"


@admin.register(QualitySummary)
class QualitySummaryAdmin(ReadOnly):
    """How good each day of each series is; the report and the heat map are made of it."""

    list_display = ("series", "day", "points", "expected", "stored", "missing", "computed_at")
    list_filter = ("series__timeframe", "series__market__exchange")
    list_select_related = ("series__market__exchange",)
    search_fields = ("series__market__symbol",)
    ordering = ("-start_ms", "score")
    paginator = InfinitePaginator
    actions_list = ("report",)
    fields = ("series", "day", "points", "computed_at", "is_stale")
    readonly_fields = fields
    change_form_outer_before_template = "admin/markets/qualitysummary/why.html"

    class Media:
        """Its chart's look."""

        css: ClassVar = {"all": ("millrace/markets.css",)}

    def get_urls(self) -> list[URLPattern]:
        named = (("series/<int:series_id>/", self.series_page, "series"),)
        own = [
            path(route, self.admin_site.admin_view(view), name=f"markets_qualitysummary_{name}")
            for route, view, name in named
        ]
        return [*own, *super().get_urls()]

    @display(description="Day", ordering="start_ms")
    def day(self, summary: QualitySummary) -> str:
        return at(summary.start_ms)[:10]

    @display(description="Score", ordering="score")
    def points(self, summary: QualitySummary) -> SafeString:
        return pill(tone(summary.score), f"{summary.score:.2f}")

    @action(description="Report and heat map", url_path="report", icon="grid_on")
    def report(self, request: HttpRequest) -> HttpResponse:
        """Answer the report, worst first, with the heat map of the same series."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        now = timezone.now()
        hours = _span_of(request)
        rows = reporting.scored(hours=hours, now=now).order_by("avg_score", "pk")
        chosen = request.GET.get("exchange", "")
        if chosen:
            rows = rows.filter(market__exchange__name=chosen)
        page = Paginator(rows, ON_A_PAGE).get_page(request.GET.get("page"))
        series: list[Any] = list(page.object_list)
        found = reporting.lines(series, hours=hours, now=now)
        heat = reporting.heat_map(series, days=DAYS, now=now)
        days = [from_ms(cell.day_ms) for cell in heat[0].cells] if heat else []
        context = {
            **self.admin_site.each_context(request),
            "title": "Quality report",
            "opts": self.model._meta,  # noqa: SLF001 -- Django's documented name
            "spans": SPANS,
            "hours": hours,
            "exchanges": Exchange.objects.values_list("name", flat=True),
            "exchange": chosen,
            "page": page,
            "lines": [(line, tone(line.avg_score)) for line in found],
            "heat": [(row, [(cell, level(cell.score)) for cell in row.cells]) for row in heat],
            "days": [(day, number % 5 == 0) for number, day in enumerate(reversed(days))][::-1],
            "levels": LEVELS,
        }
        return TemplateResponse(request, "admin/markets/qualitysummary/report.html", context)

    def series_page(self, request: HttpRequest, series_id: int) -> HttpResponse:
        """Answer why one series has its score: what its last days lost, and to what."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        series = Series.objects.select_related("market__exchange").filter(pk=series_id).first()
        if series is None:
            raise Http404
        now, hours = timezone.now(), _span_of(request)
        found = reporting.scored(hours=hours, now=now).filter(pk=series_id)
        lines = reporting.lines(list(found), hours=hours, now=now)
        low = to_ms(now) - hours * 3_600_000
        days = QualitySummary.objects.filter(series=series, end_ms__gt=low, expected__gt=0)
        shown = list(days.order_by("score", "-start_ms")[:60])
        context = {
            **self.admin_site.each_context(request),
            "title": f"Quality of {series}",
            "opts": self.model._meta,  # noqa: SLF001 -- Django's documented name
            "spans": SPANS,
            "hours": hours,
            "series": series,
            "line": lines[0] if lines else None,
            "tone": tone(lines[0].avg_score) if lines else "neutral",
            "faults": _with_weights(reporting.faults_of(shown)),
            "days": [(row, at(row.start_ms)[:10], tone(row.score), _worst(row)) for row in shown],
            "findings": Finding.objects.filter(series=series).unsettled()[:20],
            "gaps": [(gap, span(gap.start_ms, gap.end_ms)) for gap in _longest_gaps(series)],
        }
        return TemplateResponse(request, "admin/markets/qualitysummary/series.html", context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        summary = kwargs.get("obj") or context["original"]
        context["factors"] = reporting.factors(summary)
        context["tone"] = tone(summary.score)
        context["day"] = at(summary.start_ms)[:10]
        context["findings"] = _findings_of(summary)
        found: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return found


#: Lower ends of the heat map's levels, the best first.
LEVELS: Final = (("100", 0), ("99 and up", 1), ("95", 2), ("80", 3), ("50", 4), ("below", 5))


def _span_of(request: HttpRequest) -> int:
    asked = request.GET.get("hours", "")
    return next((hours for hours, _ in SPANS if str(hours) == asked), SPANS[0][0])


def _with_weights(faults: dict[str, int]) -> list[tuple[str, int, float]]:
    return [(name, count, scoring.WEIGHTS[name]) for name, count in faults.items()]


def _longest_gaps(series: Series) -> QuerySet[Gap]:
    return Gap.objects.missing().filter(series=series).order_by(F("missing").desc())[:20]


def _worst(summary: QualitySummary) -> str:
    found = reporting.factors(summary)
    return ", ".join(f"{one.faults:,} {one.kind.replace('_', ' ')}" for one in found[:3]) or "—"


def _findings_of(summary: QualitySummary) -> list[tuple[Finding, str, str]]:
    rows = Finding.objects.filter(series_id=summary.series_id, kind__in=list(summarising.COLUMN_OF))
    touching = rows.touching(summary.start_ms, summary.end_ms).order_by("start_ms")[:50]
    return [(row, FindingKind(row.kind).label, _page(row)) for row in touching]


def _page(finding: Finding) -> str:
    return reverse("admin:markets_finding_change", args=[finding.pk])
