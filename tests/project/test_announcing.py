"""What apps announce to whoever wants to know."""

from datetime import UTC, datetime

import pytest
from django.db import transaction

from project.core import announcing

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def name(monkeypatch):
    monkeypatch.setattr(announcing, "_names", {})
    monkeypatch.setattr(announcing, "_listeners", [])
    return announcing.register("tests.happened", "Something happened")


@pytest.mark.django_db(transaction=True)
def test_listeners_hear_it_after_the_commit(name):
    heard: list[announcing.Announcement] = []
    announcing.listen(heard.append)
    announcing.listen(heard.append)

    with transaction.atomic():
        announcing.announce(name, {"n": 1}, now=NOW)
        assert heard == []

    assert [(one.name, one.data, one.at) for one in heard] == [(name, {"n": 1}, NOW)]
    assert announcing.known() == {name: "Something happened"}


@pytest.mark.django_db(transaction=True)
def test_what_was_rolled_back_is_never_heard(name):
    heard: list[announcing.Announcement] = []
    announcing.listen(heard.append)

    with transaction.atomic():
        announcing.announce(name, {}, now=NOW)
        transaction.set_rollback(True)

    assert heard == []


@pytest.mark.django_db(transaction=True)
def test_a_listener_that_fails_spoils_nothing(name, caplog):
    heard: list[announcing.Announcement] = []

    def broken(_one):
        raise ZeroDivisionError

    announcing.listen(broken)
    announcing.listen(heard.append)

    announcing.announce(name, {}, now=NOW)
    announcing.stop_listening(broken)
    announcing.announce(name, {}, now=NOW)

    assert len(heard) == 2
    assert caplog.text.count("A listener failed") == 1


def test_an_unknown_name_is_refused(name):
    with pytest.raises(announcing.UnknownAnnouncementError):
        announcing.announce("tests.unheard_of", {}, now=NOW)
