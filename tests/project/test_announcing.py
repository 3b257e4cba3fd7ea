import pytest

from project.core import announcing, events
from project.core.announcing import Announcement
from project.core.choices import RunStatus
from tests.factories import make_run, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard(monkeypatch) -> list[Announcement]:
    found: list[Announcement] = []
    monkeypatch.setattr(announcing, "_listeners", [found.append])
    return found


def test_listeners_hear_what_is_announced(heard, now):
    announcing.announce(announcing.RUN_FINISHED, {"a": 1}, now=now, user_id=3)

    assert [(said.name, said.data, said.at, said.user_id) for said in heard] == [
        ("run.finished", {"a": 1}, now, 3)
    ]


def test_event_that_nobody_registered_is_a_bug(heard, now):
    with pytest.raises(KeyError):
        announcing.announce("nobody.knows", {}, now=now)
    with pytest.raises(ValueError, match="twice"):
        announcing.register(announcing.RUN_FINISHED, "something else")


def test_deaf_listener_stops_nothing(heard, monkeypatch, now, caplog):
    def deaf(said: Announcement) -> None:
        raise RuntimeError("deaf")

    monkeypatch.setattr(announcing, "_listeners", [deaf, heard.append])

    announcing.announce(announcing.RUN_FINISHED, {}, now=now)

    assert len(heard) == 1
    assert "an announcement was not heard" in caplog.text


def test_end_of_a_run_is_told_to_who_asked_for_it(heard, now):
    user = make_user()
    for owner in (user, None):
        run = make_run(requested_by=owner)
        changes = {"status": RunStatus.CANCELED, "ended_at": now}
        assert events.record(run, where={}, changes=changes, now=now)

    (said,) = heard
    assert (said.name, said.user_id, said.data["status"]) == ("run.finished", user.pk, "canceled")


def test_known_events_have_labels():
    assert {"run.finished", "gap.repaired", "pool.low"} <= set(announcing.known())
    announcing.listen(heard_twice)
    announcing.listen(heard_twice)
    assert announcing._listeners.count(heard_twice) == 1
    announcing._listeners.remove(heard_twice)


def heard_twice(said: Announcement) -> None:
    """Nothing."""
