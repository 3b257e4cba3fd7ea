"""Staff pages of the pool: proxies, their checks and targets, the policies."""

from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import (
    BooleanRadioFilter,
    ChoicesCheckboxFilter,
    RangeDateTimeFilter,
    RangeNumericFilter,
)
from unfold.decorators import display

from project.core.admin import acts
from project.core.admin.asking import asking_back
from project.core.admin.pages import ReadOnly
from project.core.display import NOTHING, duration, pill
from proxies import explaining, lending, managing
from proxies.admin.acts import ProxyActs
from proxies.admin.columns import OUTCOMES, VERDICTS, at, ms, plain, toned, yes
from proxies.admin.filters import CountryFilter, NamedByFilter, NetworkFilter, OpenToFilter
from proxies.admin.sections import ProxySection, lease_history, with_sections
from proxies.choices import ProxyState
from proxies.models import Check, Proxy, TargetState

#: How a proxy's state looks in its list.
_STATES: Final = {
    ProxyState.UNPROVEN: ("queued", "Not checked"),
    ProxyState.HEALTHY: ("good", "Works"),
    ProxyState.FAILING: ("warning", "Failing"),
    ProxyState.RETIRED: ("paused", "Retired"),
    ProxyState.BLOCKED: ("bad", "Taken out"),
}


#: Before a rule of lending that holds, and one that doesn't.
_YES: Final = pill("good", "yes")
_NO: Final = pill("bad", "no")
_EXIT: Final = plain("exit_ip", "Exit IP")
_TLS: Final = yes("tls_ok", "TLS")
_LATENCY: Final = ms("latency_ms", "Latency")
_CHECKED: Final = at("last_checked_at", "Checked")
_LENT: Final = at("last_lent_at", "Lent")


@display(description="Anonymity", ordering="anonymity")
def hides(row: Proxy | Check) -> str:
    """Return the grade's one word; a list has no room for what it means."""
    return str(row.anonymity).capitalize() or "-"


@admin.register(Proxy)
class ProxyAdmin(ProxyActs):
    """The pool; proxies come from lists and change by checks and leases."""

    list_display = (
        "life",
        "endpoint",
        "pool",
        "score_shown",
        hides,
        "place",
        _EXIT,
        _LATENCY,
        _CHECKED,
        _LENT,
    )
    list_display_links = ("life", "endpoint")
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        ("pool", ChoicesCheckboxFilter),
        ("scheme", ChoicesCheckboxFilter),
        ("anonymity", ChoicesCheckboxFilter),
        CountryFilter,
        NetworkFilter,
        ("score", RangeNumericFilter),
        ("latency_ms", RangeNumericFilter),
        ("last_checked_at", RangeDateTimeFilter),
        OpenToFilter,
        NamedByFilter,
        ("tls_ok", BooleanRadioFilter),
    )
    list_filter_submit = True
    list_sections = (ProxySection,)
    list_per_page = 50
    search_fields = ("host", "exit_ip", "username")
    ordering = ("-id",)
    # without the password: it is nobody's to read here
    fieldsets = (
        (None, {"fields": ("endpoint", "username", "state", "pool", "score_shown")}),
        ("Why", {"fields": ("explanation", "failures_in_row", "history")}),
        (
            "Last good check",
            {
                "fields": (
                    "anonymity",
                    _EXIT,
                    "country",
                    "network",
                    _TLS,
                    _LATENCY,
                    ms("connect_ms", "Time to connect"),
                    at("last_ok_at", "When"),
                )
            },
        ),
        (
            "Checks and lists",
            {
                "fields": (
                    _CHECKED,
                    at("check_due_at", "Next check"),
                    at("first_seen_at", "First named"),
                    at("last_seen_at", "Last named"),
                    at("retired_at", "Retired"),
                )
            },
        ),
        (
            "Lending",
            {
                "fields": (
                    "lendable",
                    _LENT,
                    at("rest_until", "Rests until"),
                    "exclusive_key",
                    "leases",
                )
            },
        ),
    )
    readonly_fields = (
        "endpoint",
        "lendable",
        "score_shown",
        "explanation",
        "history",
        "leases",
    )
    actions = ("check_now", "move", "ban", "retire", "take_out", "let_in")
    actions_detail = ("reveal",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Proxy]:
        found: QuerySet[Proxy] = super().get_queryset(request)
        return with_sections(found.defer("password"))

    @display(description="State", ordering="state")
    def life(self, proxy: Proxy) -> SafeString:
        tone, text = _STATES[ProxyState(proxy.state)]
        return pill(tone, text)

    @display(description="Place", ordering="country")
    def place(self, proxy: Proxy) -> SafeString:
        if not proxy.country and not proxy.network:
            return NOTHING
        return format_html('{} <span class="mr-faint">{}</span>', proxy.country, proxy.network)

    @admin.display(description="Score", ordering="score")
    def score_shown(self, proxy: Proxy) -> str:
        return "-" if proxy.score is None else f"{proxy.score:.0f}"

    @admin.display(description="Can it be lent now?")
    def lendable(self, proxy: Proxy) -> SafeString:
        """Tell each rule of lending, then the targets that it may not visit now."""
        told = explaining.of(proxy, lending.Ask(), now=timezone.now())
        lines = [(_YES if rule.holds else _NO, rule.text) for rule in told.rules]
        lines += [(_NO, closed.text) for closed in told.closed]
        return format_html_join("", '<div class="mr-rule">{} {}</div>', lines)

    @admin.display(description="Why this score")
    def explanation(self, proxy: Proxy) -> str:
        return explaining.score(proxy, now=timezone.now()).text

    @admin.display(description="Latest leases")
    def leases(self, proxy: Proxy) -> SafeString:
        return lease_history(proxy)

    @admin.display(description="History")
    def history(self, proxy: Proxy) -> str:
        pages = (
            ("check", "Checks"),
            ("lease", "Leases"),
            ("targetstate", "Targets"),
            ("sourceentry", "Sources"),
        )
        links = [
            (reverse(f"admin:proxies_{name}_changelist"), proxy.pk, label) for name, label in pages
        ]
        return format_html_join(
            " · ", '<a class="mr-link" href="{}?proxy__id__exact={}">{}</a>', links
        )


@admin.register(Check)
class CheckAdmin(ReadOnly):
    """What checks found, the newest first."""

    list_display = (
        at("at", "When"),
        toned("verdict", "Verdict", VERDICTS),
        "proxy",
        "detail",
        ms("latency_ms", "Latency"),
        _EXIT,
        hides,
        _TLS,
    )
    list_filter = (
        ("verdict", ChoicesCheckboxFilter),
        ("anonymity", ChoicesCheckboxFilter),
        ("latency_ms", RangeNumericFilter),
        ("at", RangeDateTimeFilter),
    )
    list_filter_submit = True
    list_select_related = ("proxy",)
    search_fields = ("proxy__host", "exit_ip")
    ordering = ("-id",)

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        return lookup == "proxy__id__exact" or bool(super().lookup_allowed(lookup, value, request))


@admin.register(TargetState)
class TargetStateAdmin(ReadOnly):
    """How proxies fare at targets, and who banned whom."""

    list_display = (
        "target",
        "proxy",
        "stands",
        toned("last_outcome", "Last outcome", OUTCOMES),
        "failures_in_row",
        toned("check_outcome", "Last check", OUTCOMES),
        at("checked_at", "Checked"),
        at("last_lent_at", "Lent"),
    )
    fieldsets = (
        (None, {"fields": ("target", "proxy", "stands", "blocked_until", "blocked_for")}),
        (
            "What holders told",
            {
                "fields": (
                    toned("last_outcome", "Last outcome", OUTCOMES),
                    "failures_in_row",
                    at("evidence_at", "Told"),
                    ms("latency_ms", "Latency, moving average"),
                    "evidence",
                    at("last_lent_at", "Last lent"),
                )
            },
        ),
        (
            "What checks found",
            {
                "fields": (
                    toned("check_outcome", "Last check", OUTCOMES),
                    "check_detail",
                    "check_failures",
                    at("checked_at", "Checked"),
                )
            },
        ),
    )
    list_filter = (
        ("blocked_for", ChoicesCheckboxFilter),
        ("last_outcome", ChoicesCheckboxFilter),
        ("check_outcome", ChoicesCheckboxFilter),
        ("blocked_until", RangeDateTimeFilter),
    )
    list_filter_submit = True
    list_select_related = ("proxy",)
    search_fields = ("target", "proxy__host")
    ordering = ("target", "-id")
    actions = ("lift",)

    @admin.display(description="Stands", ordering="blocked_until")
    def stands(self, state: TargetState) -> SafeString:
        """Tell whether the proxy is lent for the site now, else why not and for how long."""
        left_s = (
            (state.blocked_until - timezone.now()).total_seconds() if state.blocked_until else 0
        )
        if left_s <= 0:
            return pill("good", "Open")
        words = f"{state.get_blocked_for_display()}, {duration(left_s)} left"
        return pill("bad", words)

    @admin.display(description="Evidence")
    def evidence(self, state: TargetState) -> str:
        return f"{state.good_weight:.2f} of {state.total_weight:.2f} good"

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("proxies.change_targetstate")

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        return lookup == "proxy__id__exact" or bool(super().lookup_allowed(lookup, value, request))

    @admin.action(description="Lift the bans", permissions=["manage"])
    @asking_back(
        title="Lift these bans?",
        text="The sites are visited through these proxies again.",
        yes="Lift",
        count=lambda chosen: managing.liftable(chosen).count(),
    )
    def lift(self, request: HttpRequest, chosen: QuerySet[TargetState]) -> None:
        """Let the targets be visited again."""
        concerned = managing.liftable(chosen)
        acts.together(self, request, concerned, lambda: f"Lifted {managing.lift(chosen)} ban(s).")
