"""One ``make_…`` function for each model: the plainest valid row, any field overridable."""

import os
import uuid
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from accounts import keys, noting, recalling
from accounts.models import (
    ApiKey,
    BillingEvent,
    Device,
    Flag,
    KeptAnswer,
    Plan,
    RateLimitRule,
    RateLimitSwitch,
    SecondFactor,
    SignInFailures,
    Subscription,
    User,
    Webhook,
    WebhookDelivery,
)
from project.core import events, processes
from project.core.choices import FINAL, Act, Role, RunStatus
from project.core.models import (
    AuditEntry,
    FigureSample,
    Halt,
    Leadership,
    ProcessHeartbeat,
    Run,
    RunEvent,
    SavedFilter,
    TaskTotals,
)

PASSWORD: Final = "swamp-lantern-42"
_numbers = count(1)


def make_user(**fields: Any) -> User:
    """A plain user; ``password=PASSWORD`` lets them sign in."""
    email = fields.pop("email", None) or f"user-{next(_numbers)}@example.com"
    return User.objects.create_user(email, fields.pop("password", None), **fields)


def make_staff(**fields: Any) -> User:
    """A user who may use the admin and do everything in it."""
    return make_user(**{"is_staff": True, "is_superuser": True, **fields})


def make_key(user: User | None = None, **fields: Any) -> keys.NewKey:
    """A key with every scope but ``admin``; its ``secret`` goes into the header."""
    now = fields.pop("now", None) or timezone.now()
    return keys.create(user or make_user(), keys.Wish(**fields), now=now)


def make_api_key(**fields: Any) -> ApiKey:
    """The row of a key that nobody can use."""
    defaults = {"prefix": "mr_unusable", "digest": f"{next(_numbers):064x}"}
    return ApiKey.objects.create(user=fields.pop("user", None) or make_user(), **defaults | fields)


def make_run(**fields: Any) -> Run:
    """A queued run with its first event, whole in every state."""
    now = fields.pop("now", None) or timezone.now()
    defaults: dict[str, Any] = {"kind": "tests.job", "created_at": now}
    status = fields.get("status", RunStatus.QUEUED)
    if status == RunStatus.RUNNING:
        defaults |= {"claimed_until": now + timedelta(seconds=20), "attempt": 1, "started_at": now}
        defaults |= {"worker": processes.own_name(), "heartbeat_at": now}
    if status in FINAL:
        defaults |= {"ended_at": now, "started_at": now, "attempt": 1}
    run = Run(**{**defaults, **fields})
    event = events.first(run, now=now)
    run.save(force_insert=True)
    event.save(force_insert=True)
    return run


def make_event(run: Run, **fields: Any) -> RunEvent:
    """The next event of ``run``: a ``run_update`` unless said otherwise."""
    now = fields.pop("created_at", None) or timezone.now()
    data = fields.pop("data", None) or events.state_of(run, ts=now)
    name = fields.pop("event", events.UPDATE)
    if not events.append(run, name, data, where={}, now=now):
        raise AssertionError("the run is gone")
    return RunEvent.objects.get(run=run, seq=run.event_seq)


def make_heartbeat(**fields: Any) -> ProcessHeartbeat:
    """A worker's sign of life, just now."""
    now = timezone.now()
    defaults = {
        "name": f"elsewhere/1:{next(_numbers)}:1",
        "role": Role.WORKER,
        "host": "elsewhere",
        "pid": os.getpid(),
        "version": "0",
        "started_at": now,
        "beat_at": now,
    }
    return ProcessHeartbeat.objects.create(**{**defaults, **fields})


def make_totals(**fields: Any) -> TaskTotals:
    """What the runs of one kind have come to."""
    return TaskTotals.objects.create(**{"kind": f"tests.kind_{next(_numbers)}", **fields})


def make_job(*, every_s: int | None = None, **fields: Any) -> PeriodicTask:
    """A periodic job of the kind ``tests.job``: daily at 02:00, or every ``every_s`` seconds.

    ``last_run_at`` and ``date_changed`` stand as given: no signal, no clock sets them.
    """
    if every_s is not None:
        interval, _ = IntervalSchedule.objects.get_or_create(every=every_s, period="seconds")
        fields["interval"] = interval
    elif "crontab" not in fields:
        crontab, _ = CrontabSchedule.objects.get_or_create(
            minute="0", hour="2", day_of_week="*", day_of_month="*", month_of_year="*"
        )
        fields["crontab"] = crontab
    stood = {name: fields.pop(name) for name in ("date_changed",) if name in fields}
    defaults = {"name": f"job {next(_numbers)}", "task": "tests.job", "enabled": True}
    job: PeriodicTask = PeriodicTask.objects.create(**{**defaults, **fields})
    if stood:
        PeriodicTask.objects.filter(pk=job.pk).update(**stood)
        job.refresh_from_db()
    return job


def numbers_of(run: Run) -> list[int]:
    """Return the numbers of the events of ``run``, in order."""
    return list(RunEvent.objects.filter(run=run).order_by("seq").values_list("seq", flat=True))


def last_event(run: Run) -> RunEvent:
    """Return the newest event of ``run``."""
    return RunEvent.objects.filter(run=run).order_by("-seq")[0]


def names_of(run: Run) -> list[str]:
    """Return the names of the events of ``run``, in order."""
    return list(RunEvent.objects.filter(run=run).order_by("seq").values_list("event", flat=True))


def make_process_heartbeat(**fields: Any) -> ProcessHeartbeat:
    """As ``make_heartbeat``."""
    return make_heartbeat(**fields)


def make_task_totals(**fields: Any) -> TaskTotals:
    """As ``make_totals``."""
    return make_totals(**fields)


def make_leadership(**fields: Any) -> Leadership:
    """A lead that nobody has."""
    return Leadership.objects.create(**{"name": f"lead {next(_numbers)}", **fields})


def make_run_event(**fields: Any) -> RunEvent:
    """An event of a run of its own."""
    return make_event(make_run(), **fields)


def make_plan(**fields: Any) -> Plan:
    """A plan without any number."""
    number = next(_numbers)
    return Plan.objects.create(**{"name": f"plan-{number}", "title": f"Plan {number}", **fields})


def make_subscription(**fields: Any) -> Subscription:
    """A subscription of a user of its own to a plan of its own, begun before any test's clock."""
    fields.setdefault("started_at", datetime(2020, 1, 1, tzinfo=UTC))
    made = {
        name: make()
        for name, make in (("user", make_user), ("plan", make_plan))
        if name not in fields
    }
    found = Subscription.objects.create(**made, **fields)
    recalling.forget_user(found.user_id)
    return found


def make_rate_limit_rule(**fields: Any) -> RateLimitRule:
    """Ten requests a minute to an address of its own."""
    number = next(_numbers)
    facts = {"name": f"rule-{number}", "paths": [f"/api/rule-{number}"], "amount": 10}
    return RateLimitRule.objects.create(**{**facts, **fields})


def make_rate_limit_switch(**fields: Any) -> RateLimitSwitch:
    """The switch: there is one."""
    return RateLimitSwitch.objects.update_or_create(pk=1, defaults=fields)[0]


def make_device(**fields: Any) -> Device:
    """A browser of a user of its own."""
    defaults = {"session_key": f"session-{next(_numbers)}", "agent": "Firefox"}
    return Device.objects.create(user=fields.pop("user", None) or make_user(), **defaults | fields)


def flushed() -> None:
    """What a web process writes behind, written now."""
    noting.flush()


def make_sign_in_failures(**fields: Any) -> SignInFailures:
    """A failed sign-in of nobody known."""
    defaults = {"name": f"{next(_numbers):064x}", "first_failed_at": timezone.now(), "failures": 1}
    return SignInFailures.objects.create(**{**defaults, **fields})


def make_kept_answer(**fields: Any) -> KeptAnswer:
    """An answer to a request of nobody known."""
    defaults = {"caller": "user:0", "key": f"key-{next(_numbers)}", "digest": "0" * 64}
    facts = {"token": uuid.uuid4(), "status": 200, "created_at": timezone.now()}
    return KeptAnswer.objects.create(**{**defaults, **facts, **fields})


def make_flag(**fields: Any) -> Flag:
    """A feature that nobody has."""
    return Flag.objects.create(**{"name": f"flag-{next(_numbers)}", **fields})


def make_webhook(**fields: Any) -> Webhook:
    """An endpoint that hears of ended runs."""
    defaults = {
        "url": "https://hooks.example.com/in",
        "events": ["run.finished"],
        "secret": "whsec_test",
        "created_at": timezone.now(),
    }
    return Webhook.objects.create(user=fields.pop("user", None) or make_user(), **defaults | fields)


def make_webhook_delivery(**fields: Any) -> WebhookDelivery:
    """A message that waits."""
    now = timezone.now()
    defaults: dict[str, Any] = {
        "event_id": uuid.uuid4(),
        "event": "run.finished",
        "payload": {"event": "run.finished"},
        "created_at": now,
        "next_try_at": now,
    }
    webhook = fields.pop("webhook", None) or make_webhook()
    return WebhookDelivery.objects.create(webhook=webhook, **defaults | fields)


def make_billing_event(**fields: Any) -> BillingEvent:
    """An event that was applied."""
    now = timezone.now()
    defaults: dict[str, Any] = {
        "event_id": f"evt-{next(_numbers)}",
        "plan": "pro",
        "digest": "0" * 64,
        "occurred_at": now,
        "received_at": now,
        "is_applied": True,
    }
    user = fields.pop("user", None) or make_user()
    return BillingEvent.objects.create(user=user, **defaults | fields)


def make_second_factor(**fields: Any) -> SecondFactor:
    """An app on trial."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    return SecondFactor.objects.create(
        **{"user": fields.pop("user", None) or make_user(), "secret": secret, **fields}
    )


def make_audit_entry(**fields: Any) -> AuditEntry:
    """Something that somebody did."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "act": Act.CHANGED,
        "user_name": "ada@example.org",
        "model": "core.run",
        "object_id": str(number),
        "object_name": f"wheel {number}",
        "changes": [{"name": "Speed", "before": "1", "after": "2"}],
        "request_id": f"{number:032x}",
    }
    return AuditEntry.objects.create(**defaults | fields)


def make_halt(**fields: Any) -> Halt:
    """A kind of run that nobody works on."""
    defaults = {"kind": f"tests.kind{next(_numbers)}", "switch": "collecting"}
    return Halt.objects.create(**defaults | fields)


def make_saved_filter(**fields: Any) -> SavedFilter:
    """A filter of the list of runs that everybody sees."""
    defaults = {"page": "core.run", "query": "status__exact=failed", "is_shared": True}
    fields.setdefault("name", f"filter {next(_numbers)}")
    return SavedFilter.objects.create(
        owner=fields.pop("owner", None) or make_user(), **defaults | fields
    )


def make_figure_sample(**fields: Any) -> FigureSample:
    """A key figure as it was."""
    fields.setdefault("name", f"figure{next(_numbers)}")
    return FigureSample.objects.create(**{"at": timezone.now(), "amount": 1.0} | fields)
