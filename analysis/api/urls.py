"""Addresses of the API."""

from django.urls import path

from analysis.api import places, views

urlpatterns = [
    path("videos/analyze", views.Analyze.as_view(), name="analyze"),
    path("videos/analyze/batch", views.AnalyzeBatch.as_view(), name="analyze-batch"),
    path("videos/<str:video_id>/locations", places.Locations.as_view(), name="locations"),
    path("videos/<str:video_id>/locations/<int:n>", places.Location.as_view(), name="location"),
    path("videos/<str:video_id>/failures", places.Failures.as_view(), name="failures"),
    path(
        "videos/<str:video_id>/geocode/retry", places.GeocodeRetry.as_view(), name="geocode-retry"
    ),
    path("jobs", views.JobList.as_view(), name="jobs"),
    path("jobs/<uuid:job_id>", views.JobDetail.as_view(), name="job"),
    path("jobs/<uuid:job_id>/cancel", views.JobCancel.as_view(), name="job-cancel"),
    path("jobs/<uuid:job_id>/retry", views.JobRetry.as_view(), name="job-retry"),
    path("batches/<uuid:batch_id>", views.BatchDetail.as_view(), name="batch"),
    path("batches/<uuid:batch_id>/cancel", views.BatchCancel.as_view(), name="batch-cancel"),
    path("strategies", views.StrategyList.as_view(), name="strategies"),
]
