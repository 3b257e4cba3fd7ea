"""Addresses of the proxies API."""

from django.urls import path

from proxies.api import etl, importing, leases, views

urlpatterns = [
    path("proxies", views.ProxyList.as_view(), name="proxies"),
    path("proxies/stats", views.Stats.as_view(), name="proxies-stats"),
    path("proxies/fetch", views.Fetch.as_view(), name="proxies-fetch"),
    path("proxies/validate", views.Validate.as_view(), name="proxies-validate"),
    path("proxies/import", importing.Import.as_view(), name="proxies-import"),
    path("proxies/export", views.Export.as_view(), name="proxies-export"),
    path("proxies/leases", leases.LeaseList.as_view(), name="leases"),
    path("proxies/leases/<int:lease_id>/renew", leases.LeaseRenew.as_view(), name="lease-renew"),
    path(
        "proxies/leases/<int:lease_id>/release", leases.LeaseRelease.as_view(), name="lease-release"
    ),
    path("etl/", etl.Root.as_view(), name="etl"),
    path("etl/health", etl.Health.as_view(), name="etl-health"),
    path("etl/snapshots", etl.Snapshots.as_view(), name="etl-snapshots"),
    path(
        "proxies/leases/<int:lease_id>/explanation",
        leases.LeaseExplanation.as_view(),
        name="lease-explanation",
    ),
    path(
        "proxies/<int:proxy_id>/explanation",
        views.ProxyExplanation.as_view(),
        name="proxy-explanation",
    ),
    path("proxies/<int:proxy_id>", views.ProxyDetail.as_view(), name="proxy"),
]
