from typing import Any

import pytest
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from project.core import queueing, sweeping
from project.core.models import Run
from tests.factories import make_run

pytestmark = pytest.mark.django_db(transaction=True)


def test_enqueue_sends_after_the_commit_and_not_before(sent):
    run = make_run()

    with transaction.atomic():
        queueing.enqueue("tests.job", run_id=str(run.pk))
        before = sent()

    assert (before, sent()) == ([], [("tests.job", str(run.pk))])


def test_enqueue_in_what_is_rolled_back_sends_nothing(sent):
    class WrongError(Exception):
        pass

    with pytest.raises(WrongError), transaction.atomic():  # noqa: PT012 -- the two together
        queueing.enqueue("tests.job", run_id="x")
        raise WrongError

    assert sent() == []


@pytest.mark.parametrize(
    "error", [OperationalError("away"), ConnectionRefusedError(111), RuntimeError("OOM command")]
)
def test_broker_away_leaves_the_run_to_the_sweeper(error, now, sent, monkeypatch, caplog):
    run = make_run(sent_at=now)

    def away(*args: Any, **kwargs: Any) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(current_app, "send_task", away)
        assert not queueing.send("tests.job", run_id=str(run.pk))

    assert Run.objects.get(pk=run.pk).sent_at is None
    assert [record.message for record in caplog.records] == ["broker away, the sweeper will send"]
    assert sweeping.sweep(idle=1, now=now)["sent"] == 1
    assert sent() == [("tests.job", str(run.pk))]


def test_real_broker_that_cannot_be_reached_is_noticed(now, broker_away):
    run = make_run(sent_at=now)

    assert not queueing.send("tests.job", run_id=str(run.pk))

    assert Run.objects.get(pk=run.pk).sent_at is None
