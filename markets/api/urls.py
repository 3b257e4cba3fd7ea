"""Addresses of the API."""

from django.urls import path

from markets.api import candles, reports, views

urlpatterns = [
    path("exchanges", views.ExchangeList.as_view(), name="exchanges"),
    path("markets", views.MarketList.as_view(), name="markets"),
    path("markets/<int:market_id>/candles", candles.MarketCandles.as_view(), name="candles"),
    path("markets/<int:market_id>/gaps", views.MarketGaps.as_view(), name="gaps"),
    path("markets/<int:market_id>/quality", views.MarketQuality.as_view(), name="quality"),
    path(
        "markets/<int:market_id>/quality/check",
        views.MarketQualityCheck.as_view(),
        name="quality-check",
    ),
    path("markets/<int:market_id>/backfill", views.MarketBackfill.as_view(), name="backfill"),
    path("quality/report", reports.QualityReport.as_view(), name="quality-report"),
    path("errors", reports.ErrorList.as_view(), name="errors"),
    path("backfill-tasks", views.BackfillTaskList.as_view(), name="backfill-tasks"),
    path(
        "backfill-tasks/<int:task_id>/retry",
        views.BackfillTaskRetry.as_view(),
        name="backfill-task-retry",
    ),
    path("collectors", views.CollectorList.as_view(), name="collectors"),
    path("collectors/<int:collector_id>/run", views.CollectorRun.as_view(), name="collector-run"),
]
