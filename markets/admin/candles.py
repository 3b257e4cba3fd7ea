"""Staff pages of what happened to candles: revisions of final ones."""

from django.contrib import admin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from markets.admin.showing import at
from markets.models import CandleRevision
from project.core.admin.pages import ReadOnly


@admin.register(CandleRevision)
class CandleRevisionAdmin(ReadOnly):
    """Final candles that the exchange changed later."""

    list_display = ("series", "candle", "seen_at", "source", "old_close", "new_close")
    list_filter = ("source", "series__timeframe")
    list_select_related = ("series__market__exchange",)
    search_fields = ("series__market__symbol",)
    ordering = ("-id",)
    paginator = InfinitePaginator

    @display(description="Candle", ordering="open_time")
    def candle(self, revision: CandleRevision) -> str:
        return at(revision.open_time)
