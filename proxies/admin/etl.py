"""Staff pages of the ETL sync: what was sent, what waits, and what others told us."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateTimeFilter
from unfold.decorators import action, display

from project.core.admin import pages
from project.core.display import duration, moment, pill, pretty
from proxies import syncing
from proxies.choices import DeliveryState
from proxies.models import Delivery, ReceivedSnapshot


def in_short(pools: Any) -> str:
    """Return the sizes of pools in a line."""
    if not isinstance(pools, dict):
        return "-"
    sizes = {name: size for name, size in pools.items() if isinstance(size, int)}
    return " · ".join(f"{size:,} {name}" for name, size in sizes.items()) or "-"


@admin.register(Delivery)
class DeliveryAdmin(pages.ReadOnly):
    """Snapshots that were sent, or wait in the outbox."""

    list_display = ("life", "made", "told", "tries", "tried", "answer", "took")
    list_display_links = ("life", "made")
    list_filter = (("state", ChoicesCheckboxFilter), ("made_at", RangeDateTimeFilter))
    list_filter_submit = True
    search_fields = ("key", "last_error", "destination")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("life", "made", "sent", "destination", "key")}),
        ("Last try", {"fields": ("tries", "tried", "last_status", "last_error", "took")}),
        ("What it tells", {"fields": ("content",)}),
    )
    readonly_fields = ("life", "made", "sent", "tried", "took", "content")
    actions_detail = ("send_again",)
    actions_list = ("send_waiting",)

    def has_manage_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return bool(request.user.has_perm("proxies.change_delivery"))

    @display(description="State", ordering="state")
    def life(self, delivery: Delivery) -> SafeString:
        if delivery.state == DeliveryState.SENT:
            return pill("good", "Sent")
        return pill("failed" if delivery.tries else "queued", "In the outbox")

    @display(description="Snapshot of", ordering="made_at")
    def made(self, delivery: Delivery) -> SafeString:
        return moment(delivery.made_at)

    @display(description="Pools")
    def told(self, delivery: Delivery) -> str:
        return in_short(delivery.payload.get("pools"))

    @display(description="Sent", ordering="sent_at")
    def sent(self, delivery: Delivery) -> SafeString:
        return moment(delivery.sent_at)

    @display(description="Last try", ordering="last_try_at")
    def tried(self, delivery: Delivery) -> SafeString:
        return moment(delivery.last_try_at)

    @display(description="Answer")
    def answer(self, delivery: Delivery) -> str:
        return delivery.last_error or str(delivery.last_status or "-")

    @display(description="Took")
    def took(self, delivery: Delivery) -> str:
        return duration(delivery.took_s)

    @display(description="Payload")
    def content(self, delivery: Delivery) -> SafeString:
        return pretty(delivery.payload)

    @action(
        description="Send again",
        url_path="send_again",
        icon="forward_to_inbox",
        permissions=["manage"],
        dialog={
            "title": "Send this snapshot again?",
            "description": "It goes to the endpoint under the same key: a receiver that has it "
            "already answers so, and keeps it once.",
            "form_class": None,
            "form_submit_text": "Send again",
        },
    )
    def send_again(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ask for one delivery to be sent."""
        page = reverse("admin:proxies_delivery_change", args=[object_id])
        return self._sent(request, [pages.key_of(object_id)], to=page)

    @action(
        description="Send what waits",
        url_path="send_waiting",
        icon="outbox",
        permissions=["manage"],
        dialog={
            "title": "Send what waits in the outbox?",
            "description": "All waiting snapshots are tried now, the oldest first; they would "
            "go out with the next sync anyway.",
            "form_class": None,
            "form_submit_text": "Send",
        },
    )
    def send_waiting(self, request: HttpRequest, form: Any) -> HttpResponse:
        """Ask for the whole outbox to be sent."""
        waiting = list(Delivery.objects.waiting().values_list("pk", flat=True)[:10_000])
        return self._sent(request, waiting, to=reverse("admin:proxies_delivery_changelist"))

    def _sent(self, request: HttpRequest, ids: Sequence[int], *, to: str) -> HttpResponse:
        def deed() -> str:
            by = pages.caller_of(request)
            run = syncing.submit_again(ids, by=by, now=timezone.now())
            for delivery in Delivery.objects.filter(pk__in=ids):
                self.log_change(request, delivery, f"Sent again by run {run.pk}.")
            page = reverse("admin:core_run_change", args=[run.pk])
            return format_html('{} on their way: <a href="{}">the run</a>.', len(ids), page)

        return pages.carry_out(request, deed, to=to)


@admin.register(ReceivedSnapshot)
class ReceivedSnapshotAdmin(pages.ReadOnly):
    """What other installations told of their pools."""

    list_display = ("received", "sender", "version", "taken", "told", "named")
    list_filter = (("received_at", RangeDateTimeFilter), "version")
    list_filter_submit = True
    list_select_related = ("sender",)
    search_fields = ("key", "version", "commit", "sender__email")
    ordering = ("-id",)
    fields = ("received", "sender", "key", "version", "commit", "taken", "pools_shown", "told_of")
    readonly_fields = ("received", "taken", "pools_shown", "told_of")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReceivedSnapshot]:
        found: QuerySet[ReceivedSnapshot] = super().get_queryset(request)
        return found.select_related("sender")

    @display(description="Received", ordering="received_at")
    def received(self, found: ReceivedSnapshot) -> SafeString:
        return moment(found.received_at)

    @display(description="Taken", ordering="taken_at")
    def taken(self, found: ReceivedSnapshot) -> SafeString:
        return moment(found.taken_at)

    @display(description="Pools")
    def told(self, found: ReceivedSnapshot) -> str:
        return in_short(found.pools)

    @display(description="Sources")
    def named(self, found: ReceivedSnapshot) -> int:
        return len(found.sources)

    @display(description="Pools")
    def pools_shown(self, found: ReceivedSnapshot) -> SafeString:
        return pretty(found.pools)

    @display(description="Sources")
    def told_of(self, found: ReceivedSnapshot) -> SafeString:
        return pretty(found.sources)
