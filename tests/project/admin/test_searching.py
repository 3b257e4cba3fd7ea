"""The palette finds objects, a few of each kind, of those a person may see."""

import pytest
from django.contrib import admin

from project.core.admin import searching
from tests.factories import make_job, make_run, make_staff


def found(rf, user, term: str) -> list[tuple[str, str]]:
    request = rf.get("/admin/search/", {"s": term})
    request.user = user
    results = searching.find(admin.site, request, term)
    return [(result.title, result.description) for result in results]


@pytest.mark.django_db
def test_finds_objects_of_every_kind(rf, ada):
    make_run(subject="waterwheel")
    make_job(every_s=60, name="Oil the waterwheel")

    assert sorted(found(rf, ada, "waterwheel")) == [
        ("Oil the waterwheel: every 60 seconds", "periodic task"),
        ("tests.job waterwheel", "run"),
    ]


@pytest.mark.django_db
def test_finds_few_of_each_kind(rf, ada):
    for number in range(searching.AT_MOST + 2):
        make_run(subject=f"waterwheel {number}")

    assert len(found(rf, ada, "waterwheel")) == searching.AT_MOST


@pytest.mark.parametrize("term", ["w", ""])
@pytest.mark.django_db
def test_too_short_a_term_finds_nothing(rf, ada, term):
    make_run(subject="waterwheel")

    assert found(rf, ada, term) == []


@pytest.mark.django_db
def test_finds_nothing_that_a_person_may_not_see(rf):
    make_run(subject="waterwheel")

    assert found(rf, make_staff(is_superuser=False), "waterwheel") == []
