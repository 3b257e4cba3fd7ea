"""Addresses of the pages."""

from django.urls import path

from analysis import pages

urlpatterns = [
    path("videos", pages.videos, name="videos"),
    path("videos/jobs/<uuid:job_id>", pages.job, name="job-page"),
    path("videos/jobs/<uuid:job_id>/transcript", pages.transcript, name="job-transcript"),
]
