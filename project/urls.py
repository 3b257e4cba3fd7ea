"""Every address that Django answers; streams and websockets are in ``asgi.py``."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from project.core.api import open as open_views

handler400 = "project.core.api.problems.bad_request"
handler403 = "project.core.api.problems.permission_denied"
handler404 = "project.core.api.problems.not_found"
handler500 = "project.core.api.problems.server_error"

urlpatterns = [
    path("", open_views.home, name="home"),
    path("health", open_views.to_health),
    path("health/live", open_views.live),
    path("health/ready", open_views.ready),
    path("health/metrics", open_views.exposition),
    path("metrics", open_views.exposition, name="metrics"),
    path("admin", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
    path("api/", include("project.core.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/schema", SpectacularAPIView.as_view()),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(), name="docs"),
    path("api/docs", SpectacularSwaggerSplitView.as_view()),
    path("api/", include("accounts.api.urls")),
    path("api/", include("proxies.api.urls")),
    path("api/", include("markets.api.urls")),
    path("api/", include("analysis.api.urls")),
    path("", include("proxies.api.open_urls")),
    path("", include("accounts.page_urls")),
    path("", include("analysis.page_urls")),
]
