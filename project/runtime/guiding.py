"""Decides what a newcomer is led to: a step for each part of the product, five minutes in all."""

from typing import Any

from django.db.models import Model, QuerySet
from django.urls import reverse

from analysis.models import Job
from markets.choices import TaskStatus
from markets.models import BackfillTask, Market, Series
from project.core import halting, touring
from project.core.choices import UNENDED
from project.core.models import AuditEntry, Run
from project.core.touring import Step
from proxies.choices import ProxyState
from proxies.models import Proxy


def _counted(rows: QuerySet[Any], one: str, many: str) -> str:
    count = rows.count()
    return f"{count:,} {one if count == 1 else many}" if count else ""


def _list_of(model: type[Model]) -> str:
    options = model._meta  # noqa: SLF001 -- Django's documented way to a model's name
    return reverse(f"admin:{options.app_label}_{options.model_name}_changelist")


def _newest(model: type[Model], rows: QuerySet[Any]) -> str:
    """Return the page of the newest of ``rows``; the list where there is none."""
    options = model._meta  # noqa: SLF001 -- as above
    found = rows.order_by("-pk").first()
    if found is None:
        return _list_of(model)
    return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[found.pk])


def _job() -> str:
    found = Job.objects.order_by("-created_at").first()
    return reverse("job-page", args=[found.pk]) if found else reverse("videos")


def _run() -> str:
    runs = Run.objects.order_by("-created_at")
    found = runs.filter(status__in=UNENDED).first() or runs.first()
    return reverse("admin:core_run_change", args=[found.pk]) if found else _list_of(Run)


STEPS = (
    Step(
        "health",
        "Operations",
        "Is it healthy now?",
        "Issues come first, each with the button that leads to its cure. Every figure opens the list behind it;"
        " its line is the last day. Nothing here needs a reload.",
        lambda: reverse("admin:index"),
        lambda: _counted(Run.objects.all(), "run so far", "runs so far"),
    ),
    Step(
        "pool",
        "Proxies",
        "The pool as a whole",
        "Lists were fetched from the sandbox, and every proxy was checked through a judge. See the states, the"
        " scores, and the map of exits.",
        lambda: reverse("admin:proxies_poolsnapshot_changelist"),
        lambda: _counted(
            Proxy.objects.filter(state=ProxyState.HEALTHY), "healthy proxy", "healthy proxies"
        ),
    ),
    Step(
        "proxy",
        "Proxies",
        "Which proxies are there?",
        "Open a row to see its checks and leases. Choose some and press an action: it asks back with the number"
        " of rows that would change.",
        lambda: _list_of(Proxy),
        lambda: _counted(Proxy.objects.all(), "proxy known", "proxies known"),
    ),
    Step(
        "market",
        "Markets",
        "Candles, and their holes",
        "Two collectors fill these charts through the proxies. The sandbox had an outage seven hours ago: the"
        " hole is drawn as a hole, and one button fills it.",
        lambda: _newest(Market, Market.objects.filter(pk__in=Series.objects.values("market"))),
        lambda: _counted(Series.objects.all(), "series collected", "series collected"),
    ),
    Step(
        "repair",
        "Markets",
        "Holes are repaired by themselves",
        "Each hole becomes a task, with its attempts and why it ended as it did. An outage has nothing to fill a"
        " hole with: it is told from one that can be filled.",
        lambda: _list_of(BackfillTask),
        lambda: _counted(
            BackfillTask.objects.filter(status=TaskStatus.COMPLETED), "repair done", "repairs done"
        ),
    ),
    Step(
        "quality",
        "Markets",
        "How good is the data?",
        "A score for each series, from its parts; open one to see why it lost points.",
        lambda: reverse("admin:markets_qualitysummary_changelist"),
        lambda: "",
    ),
    Step(
        "video",
        "Analysis",
        "A video becomes places on a map",
        "Phases, progress and places arrive while the job works. Correct a place, and it is remembered. On"
        " the page before you can ask for a film of your own.",
        _job,
        lambda: _counted(Job.objects.all(), "job so far", "jobs so far"),
    ),
    Step(
        "run",
        "Operations",
        "What is happening right now?",
        "Everything that takes time is a run. This one shows its phases, attempts, events and worker as they"
        " come. Kill the worker: another goes on where it was.",
        _run,
        lambda: _counted(Run.objects.filter(status__in=UNENDED), "run at work", "runs at work"),
    ),
    Step(
        "jobs",
        "Operations",
        "What runs when?",
        "Every periodic job with its last and next run. Run one now, pause one; one that should have run and did"
        " not is LATE, with what to do about it.",
        lambda: reverse("admin:django_celery_beat_periodictask_changelist"),
        lambda: "",
    ),
    Step(
        "switches",
        "Operations",
        "Stop a part of it",
        "Stop collecting: every page says so until it goes on, and work that was under way goes on where it was.",
        lambda: reverse("admin:core_halt_changelist"),
        lambda: ", ".join(f"{halt.switch} is stopped" for halt in halting.off()),
    ),
    Step(
        "trail",
        "Operations",
        "Who did that?",
        "Every change with its values before and after, and the request that it came by. What you did on this"
        " tour is here already.",
        lambda: _list_of(AuditEntry),
        lambda: _counted(AuditEntry.objects.all(), "entry", "entries"),
    ),
    Step(
        "palette",
        "Operations",
        "Find anything",
        "Press Ctrl-K anywhere and type: a market, a proxy, an address, a person, the id of a run. Arrows and"
        " Enter do the rest.",
        lambda: f"{reverse('admin:index')}#palette",
        lambda: "",
    ),
    Step(
        "users",
        "Accounts",
        "People, keys and plans",
        "Each with what they used of their quota, their devices and their keys; a key is shown once, and revoked"
        " with a button.",
        lambda: reverse("admin:accounts_user_changelist"),
        lambda: "",
    ),
    Step(
        "api",
        "For programs",
        "The same, for programs",
        "Every endpoint with examples and error codes. Make a key on your account's page and try one here.",
        lambda: reverse("docs"),
        lambda: "",
    ),
)


def register() -> None:
    """Make the steps known."""
    for step in STEPS:
        touring.register(step)
