"""The pages' addresses, which people keep as bookmarks."""

import uuid

from django.urls import reverse

JOB = uuid.UUID("5f8b0b8e-0000-4000-8000-000000000000")


def test_addresses_stay_as_they_are():
    assert reverse("videos") == "/videos"
    assert reverse("job-page", args=[JOB]) == f"/videos/jobs/{JOB}"
    assert reverse("job-transcript", args=[JOB]) == f"/videos/jobs/{JOB}/transcript"
