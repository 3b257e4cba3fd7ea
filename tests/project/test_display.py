from datetime import UTC, datetime

import pytest
from django_celery_beat.models import ClockedSchedule, PeriodicTask

from project.core import display
from tests.factories import make_job


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "—"),
        (-3, "0.0 s"),
        (0.44, "0.4 s"),
        (9.99, "10.0 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (7_500, "2 h 5 min"),
        (90_061, "1 d 1 h"),
    ],
)
def test_duration(seconds, words):
    assert display.duration(seconds) == words


def test_pill_escapes_its_text():
    assert display.pill("late", "<b>") == (
        '<span class="mr-pill" data-state="late">&lt;b&gt;</span>'
    )


def test_moment_has_the_exact_time_as_title():
    at = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)

    found = display.moment(at)

    assert 'datetime="2026-01-05T12:00:00.000Z"' in found
    assert 'title="2026-01-05 12:00:00 UTC"' in found


def test_moment_of_nothing_is_a_dash():
    assert display.moment(None) == display.NOTHING


def test_meter_is_rounded():
    assert (
        display.meter(33.333) == '<progress class="mr-bar" max="100" value="33.3">33 %</progress>'
    )


@pytest.mark.parametrize(
    ("seconds", "words"), [(5, "every 5 s"), (60, "every 1 min"), (5400, "every 1 h 30 min")]
)
@pytest.mark.django_db
def test_schedule_of_an_interval(seconds, words):
    assert display.schedule(make_job(every_s=seconds)) == words


@pytest.mark.django_db
def test_schedule_of_others():
    at = datetime(2031, 1, 5, 12, 0, tzinfo=UTC)
    clocked = PeriodicTask(clocked=ClockedSchedule(clocked_time=at))

    assert display.schedule(make_job()) == "At 02:00 AM UTC"
    assert "2031" in display.schedule(clocked)
    assert display.schedule(PeriodicTask()) == "never"
