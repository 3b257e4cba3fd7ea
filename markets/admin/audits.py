"""Staff pages of what audits found: stored beside told, repaired or kept."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from markets import auditing
from markets.admin.showing import OfSeries, at
from markets.choices import DifferenceState
from markets.models import AuditDifference
from project.core.admin import acts, pages
from project.core.admin.asking import asking_back
from project.core.display import pill

_LOOKS = {
    DifferenceState.OPEN: "warning",
    DifferenceState.REPAIRED: "done",
    DifferenceState.KEPT: "neutral",
    DifferenceState.GONE: "neutral",
}
_NAMES = ("open", "high", "low", "close", "volume")


def _open_ones(chosen: QuerySet[AuditDifference]) -> int:
    return chosen.filter(state=DifferenceState.OPEN).count()


@admin.register(AuditDifference)
class AuditDifferenceAdmin(OfSeries):
    """Differences between what is stored and what the exchange tells."""

    list_display = ("series", "candle", "status", "kind", "stored_close", "told_close", "found")
    list_filter = ("state", "kind", "series__timeframe", "series__market__exchange")
    fields = (
        *("series", "candle", "kind", "state", "preview", "found_at", "run_id"),
        *("settled_at", "settled_by"),
    )
    readonly_fields = fields
    actions = ("repair_chosen", "keep_chosen")
    actions_detail = ("repair", "keep")

    @display(description="Candle (UTC)", ordering="open_time")
    def candle(self, difference: AuditDifference) -> str:
        return at(difference.open_time)

    @display(description="State", ordering="state")
    def status(self, difference: AuditDifference) -> SafeString:
        look = _LOOKS[DifferenceState(difference.state)]
        return pill(look, difference.get_state_display())

    @display(description="Stored close")
    def stored_close(self, difference: AuditDifference) -> str:
        return str(difference.stored.get("close", "—"))

    @display(description="Told close")
    def told_close(self, difference: AuditDifference) -> str:
        return str(difference.told.get("close", "—"))

    @display(description="What a repair would change")
    def preview(self, difference: AuditDifference) -> SafeString:
        if not difference.told:
            return format_html("The exchange has no such candle: it would be {}.", "forgotten")
        rows = format_html_join(
            "",
            "<tr><th scope='row'>{}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (name, old, new, "" if old == new else "changes")
                for name in _NAMES
                for old, new in [(difference.stored.get(name), difference.told.get(name))]
            ),
        )
        head = "<tr><th></th><th scope='col'>Stored</th><th scope='col'>Told</th><th></th></tr>"
        return format_html(
            "<div class='mr-sheet'><table><thead>{}</thead><tbody>{}</tbody></table></div>",
            SafeString(head),
            rows,
        )

    @admin.action(description="Repair the chosen candles", permissions=["manage"])
    @asking_back(
        title="Store what the exchange tells of these candles?",
        text="Those that changed since the audit stay; what is stored goes to the revision log.",
        yes="Repair",
        count=_open_ones,
    )
    def repair_chosen(self, request: HttpRequest, chosen: QuerySet[AuditDifference]) -> None:
        """Store what the exchange tells of each chosen candle."""
        self._each(request, chosen, auditing.repair, what="Repaired")

    @admin.action(description="Keep the chosen candles as stored", permissions=["manage"])
    @asking_back(
        title="Keep these candles as they are stored?",
        text="The differences are settled without a change.",
        yes="Keep",
        count=_open_ones,
    )
    def keep_chosen(self, request: HttpRequest, chosen: QuerySet[AuditDifference]) -> None:
        """Settle the chosen differences without a change."""
        self._each(request, chosen, auditing.keep, what="Kept")

    def _each(
        self,
        request: HttpRequest,
        chosen: QuerySet[AuditDifference],
        deed: Callable[..., None],
        *,
        what: str,
    ) -> None:
        user, now = str(request.user), timezone.now()
        rows = chosen.select_related("series__market__exchange")
        acts.each(self, request, rows, lambda row: deed(row, user=user, now=now), what=what)

    @action(
        description="Repair",
        url_path="repair",
        icon="healing",
        permissions=["manage"],
        dialog={
            "title": "Store what the exchange tells?",
            "description": "The page shows both; what is stored goes to the revision log.",
            "form_class": None,
            "form_submit_text": "Repair",
        },
    )
    def repair(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Store what the exchange tells of one candle."""
        return self._one(request, object_id, auditing.repair, "The candle is repaired.")

    @action(
        description="Keep as stored",
        url_path="keep",
        icon="check",
        permissions=["manage"],
        dialog={
            "title": "Keep what is stored?",
            "description": "The difference is settled without a change.",
            "form_class": None,
            "form_submit_text": "Keep",
        },
    )
    def keep(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Settle one difference without a change."""
        return self._one(request, object_id, auditing.keep, "The candle stays as it is.")

    def _one(
        self, request: HttpRequest, object_id: str, deed: Callable[..., None], said: str
    ) -> HttpResponse:
        found = pages.row_of(AuditDifference.objects.all(), object_id)

        def done() -> str:
            deed(found, user=str(request.user), now=timezone.now())
            return said

        return acts.one(self, request, found, done)
