"""Addresses of the floor's API."""

from django.urls import path

from project.core.api import open as open_views
from project.core.api import views

urlpatterns = [
    path("runs", views.RunList.as_view(), name="runs"),
    path("runs/<uuid:run_id>", views.RunDetail.as_view(), name="run"),
    path("runs/<uuid:run_id>/cancel", views.RunCancel.as_view(), name="run-cancel"),
    path("runs/<uuid:run_id>/retry", views.RunRetry.as_view(), name="run-retry"),
    path("system/tasks", views.SystemTasks.as_view(), name="system-tasks"),
    path("health", open_views.Health.as_view(), name="health"),
]
