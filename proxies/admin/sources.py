"""Staff pages of sources: lists fetched or pasted, and what they named."""

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateTimeFilter
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from project.core.admin import acts
from project.core.admin.asking import asking_back
from project.core.admin.pages import ReadOnly, caller_of
from project.core.display import NOTHING, duration, moment, pill
from project.core.errors import AppError
from proxies import fetching, importing, parsing
from proxies.admin.columns import at
from proxies.choices import FetchOutcome, ProxyState
from proxies.models import ProxySource, SourceEntry

_SECRETS: Final = ("text", "headers")
_KEPT: Final = "Write-only. Empty: stays as it is; a single - removes it."


class ProxySourceForm(forms.ModelForm[ProxySource]):
    """A source; what may hold passwords is taken in and never shown again."""

    text = forms.CharField(
        required=False, widget=UnfoldAdminTextareaWidget, help_text=f"Pasted list. {_KEPT}"
    )
    upload = forms.FileField(
        required=False, widget=UnfoldAdminFileFieldWidget, help_text="Or the list as a file."
    )
    headers = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget,
        help_text=f"Sent with each request, one `Name: value` a line. {_KEPT}",
    )

    class Meta:
        """What staff decide."""

        model = ProxySource
        labels = {"interval_s": "Interval, seconds"}
        fields = (
            "name",
            "kind",
            "url",
            "text",
            "upload",
            "format",
            "default_protocol",
            "headers",
            "interval_s",
            "is_enabled",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored = {name: getattr(self.instance, name) for name in _SECRETS}
        for name in _SECRETS:
            self.initial[name] = ""

    def clean(self) -> dict[str, Any]:
        """Take the file for the text, and keep what was left empty."""
        found: dict[str, Any] = super().clean() or {}
        if upload := found.get("upload"):
            try:
                with importing.read(upload) as file:
                    found["text"] = parsing.text_of(file.read())
            except AppError as error:
                self.add_error("upload", str(error))
        for name in _SECRETS:
            given = found.get(name, "")
            found[name] = "" if given.strip() == "-" else given or self.stored[name]
        return found


@admin.register(ProxySource)
class ProxySourceAdmin(ModelAdmin):
    """Where proxies come from, and what each list is worth."""

    form = ProxySourceForm
    list_display = (
        "name",
        "is_enabled",
        "life",
        "harvest",
        "survival",
        "times",
    )
    list_editable = ("is_enabled",)
    list_filter = (
        "is_enabled",
        ("kind", ChoicesCheckboxFilter),
        ("last_outcome", ChoicesCheckboxFilter),
        ("last_fetch_at", RangeDateTimeFilter),
    )
    list_filter_submit = True
    search_fields = ("name", "url")
    fieldsets = (
        (None, {"fields": ("name", "kind", "url", "text", "upload", "is_enabled")}),
        ("Reading it", {"fields": ("format", "default_protocol", "interval_s", "headers")}),
        (
            "Last fetch",
            {
                "fields": (
                    "fetched",
                    "due",
                    "life",
                    "last_error",
                    "harvest",
                    "survival",
                    "refused",
                    "took",
                    "failures_in_row",
                    "fetches",
                )
            },
        ),
    )
    readonly_fields = (
        "fetched",
        "due",
        "life",
        "last_error",
        "harvest",
        "survival",
        "refused",
        "took",
        "failures_in_row",
        "fetches",
    )
    actions = ("fetch_now",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProxySource]:
        found: QuerySet[ProxySource] = super().get_queryset(request).defer("text", "headers")
        passed = Q(entries__proxy__last_ok_at__isnull=False)
        alive = Q(entries__proxy__state=ProxyState.HEALTHY)
        return found.annotate(
            named=Count("entries"),
            passed=Count("entries", filter=passed),
            alive=Count("entries", filter=alive),
        )

    @admin.display(description="Survived", ordering="passed")
    def survival(self, source: Any) -> str:
        """Tell how many of the proxies it ever named passed validation, and work now."""
        named, passed = getattr(source, "named", 0), getattr(source, "passed", 0)
        if not named:
            return NOTHING
        share = 100 * passed / named
        return f"{passed:,} of {named:,} passed ({share:.0f} %) · {source.alive:,} work now"

    @admin.display(description="Yield")
    def harvest(self, source: Any) -> str:
        """Tell what the last fetch gave."""
        if source.last_fetch_at is None:
            return NOTHING
        return (
            f"{source.last_accepted:,} named, {source.last_new:,} new, "
            f"{source.last_rejected:,} refused"
        )

    @admin.display(description="Outcome", ordering="last_outcome")
    def life(self, source: ProxySource) -> SafeString:
        if not source.last_outcome:
            return NOTHING
        tones = {FetchOutcome.SUCCESS: "good", FetchOutcome.EMPTY: "warning"}
        tone = tones.get(FetchOutcome(source.last_outcome), "bad")
        text = source.get_last_error_type_display() or source.get_last_outcome_display()
        failures = source.failures_in_row
        return pill(tone, f"{text} · {failures} in a row" if failures > 1 else text)

    @admin.display(description="Fetched, and next", ordering="last_fetch_at")
    def times(self, source: ProxySource) -> SafeString:
        """Tell when it was fetched, and when it will be, in one cell."""
        known = [each for each in (self.fetched(source), self.due(source)) if each != NOTHING]
        return format_html_join(" · ", "{}", ((each,) for each in known)) or NOTHING

    @admin.display(description="Fetched", ordering="last_fetch_at")
    def fetched(self, source: ProxySource) -> SafeString:
        return moment(source.last_fetch_at)

    @admin.display(description="Took")
    def took(self, source: ProxySource) -> str:
        return duration(source.last_duration_s)

    @admin.display(description="Next", ordering="next_fetch_at")
    def due(self, source: ProxySource) -> SafeString:
        return moment(source.next_fetch_at if source.is_enabled else None)

    @admin.display(description="Refused lines")
    def refused(self, source: ProxySource) -> SafeString:
        """Show some lines that were refused, with their reasons."""
        if not source.last_samples:
            return NOTHING
        rows = [(each["line"], each["text"], each["reason"]) for each in source.last_samples]
        return format_html(
            '<table class="mr-refused">{}</table>',
            format_html_join(
                "",
                '<tr><td>{}</td><td class="mr-mono">{}</td><td class="mr-reason">{}</td></tr>',
                rows,
            ),
        )

    @admin.display(description="Fetches")
    def fetches(self, source: ProxySource) -> SafeString:
        page = reverse("admin:proxies_sourcefetch_changelist")
        return format_html(
            '<a class="mr-link" href="{}?source__id__exact={}">What its fetches came to</a>',
            page,
            source.pk,
        )

    def save_model(self, request: HttpRequest, obj: ProxySource, form: Any, change: bool) -> None:  # noqa: FBT001 -- Django's signature
        """Write what staff decide; workers write the rest of the row at the same time."""
        if not change:
            obj.save()
            return
        known = {field.name for field in ProxySource._meta.concrete_fields}  # noqa: SLF001 -- documented
        obj.save(update_fields=sorted(known & set(form.fields)))

    @admin.action(description="Fetch now", permissions=["change"])
    @asking_back(
        title="Fetch these sources now?",
        text="Due or not, enabled or not; what they name is checked in the next round.",
        yes="Fetch",
        count=lambda chosen: chosen.count(),
    )
    def fetch_now(self, request: HttpRequest, chosen: QuerySet[ProxySource]) -> None:
        """Ask for a fetch of the chosen sources, whether due or not."""

        def deed() -> str:
            ids = list(chosen.order_by("pk").values_list("pk", flat=True))
            run = fetching.submit(ids, by=caller_of(request), now=timezone.now())
            page = reverse("admin:core_run_change", args=[run.pk])
            return format_html('They are <a href="{}">being fetched</a>.', page)

        acts.together(self, request, chosen, deed)


@admin.register(SourceEntry)
class SourceEntryAdmin(ReadOnly):
    """Which source named which proxy."""

    list_display = (
        "source",
        "proxy",
        at("first_seen_at", "First seen"),
        at("last_seen_at", "Last seen"),
    )
    list_filter = ("source",)
    list_select_related = ("source", "proxy")
    search_fields = ("source__name", "proxy__host")
    ordering = ("-last_seen_at",)

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        return lookup == "proxy__id__exact" or bool(super().lookup_allowed(lookup, value, request))
