"""The background tasks of this app: each is one call into its verb."""

from celery import shared_task
from django.utils import timezone

from project.core import tasks, working
from project.core.working import Work
from project.storage import backing_up, drilling, kinds, thinning, verifying
from project.storage.errors import WrongSourceError
from project.storage.models import Backup


@shared_task(**tasks.options(kinds.BACKUP.name))
def backup(*, run_id: str, **_: object) -> None:
    """Back up the database."""

    def work_on(work: Work) -> None:
        backing_up.back_up(progress=work, now=timezone.now(), run=work.run)

    working.execute(run_id, work_on, kind=kinds.BACKUP.name)


@shared_task(**tasks.options(kinds.VERIFY.name))
def verify(*, run_id: str, **_: object) -> None:
    """Read one backup again, open it and count it."""

    def work_on(work: Work) -> None:
        found = Backup.objects.filter(pk=work.payload["backup_id"]).first()
        if found is None:
            raise WrongSourceError("the backup is no longer there")
        verifying.verify(found, progress=work, now=timezone.now())

    working.execute(run_id, work_on, kind=kinds.VERIFY.name)


@shared_task(**tasks.options(kinds.DRILL.name))
def drill(*, run_id: str, **_: object) -> None:
    """Back up, restore into a scratch database, compare."""

    def work_on(work: Work) -> None:
        drilling.drill(progress=work, now=timezone.now())

    working.execute(run_id, work_on, kind=kinds.DRILL.name)


@shared_task(**tasks.options(kinds.THIN.name))
def thin(*, run_id: str, **_: object) -> None:
    """Make old pool statistics coarser and drop the oldest."""

    def work_on(work: Work) -> None:
        work.report(phase="thinning", counts=thinning.thin(now=timezone.now(), check=work.check))

    working.execute(run_id, work_on, kind=kinds.THIN.name)
