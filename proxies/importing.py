"""Importing a list that somebody hands in: looked at first, or taken over as a run."""

from datetime import datetime
from typing import IO, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from project.core import runs
from project.core.callers import Caller
from project.core.errors import InvalidInputError
from project.core.models import Run
from project.core.working import Work
from proxies import kinds, parsing, storing
from proxies.models import ImportUpload
from proxies.parsing import ListOptions
from proxies.storing import Tally

#: Refused entries that a preview tells one by one.
PREVIEWED: Final = 1000


class EmptyImportError(InvalidInputError):
    """There is nothing in the list."""

    code = "empty_import"
    title = "The list is empty"


class ListTooLargeError(InvalidInputError):
    """The list is larger than the setting allows."""

    code = "list_too_large"
    title = "The list is too large"


def read(file: IO[bytes]) -> str:
    """Return a file that was handed in as text; of one that is too large only the beginning is read.

    Raises:
        EmptyImportError: there is nothing in it.
        ListTooLargeError: it is larger than ``PROXY_LIST_MAX_BYTES``.
        UnreadableListError: it is no text.
    """
    most = settings.PROXY_LIST_MAX_BYTES
    data = file.read(most + 1)
    if len(data) > most:
        raise ListTooLargeError(f"a list may have {most / 1024**2:g} MiB: hand it in in parts")
    text = parsing.text_of(data)
    _require_some(text)
    return text


def preview(text: str, options: ListOptions) -> Tally:
    """Return what an import of ``text`` would take and refuse; nothing is written.

    Raises:
        EmptyImportError: nothing was handed in.
        UnreadableListError: the list as a whole can't be read.
    """
    _require_some(text)
    return storing.preview(parsing.parse_text(text, options), keep=PREVIEWED)


def submit(text: str, options: ListOptions, *, by: Caller, now: datetime) -> Run:
    """Keep ``text``, encrypted, and ask for its import.

    Raises:
        EmptyImportError: nothing was handed in.
    """
    _require_some(text)
    with transaction.atomic():
        upload = ImportUpload.objects.create(
            text=text,
            format=options.format,
            default_protocol=options.default_scheme,
            created_at=now,
        )
        ask = runs.Ask(
            kind=kinds.IMPORT.name,
            subject=_size(text),
            payload={"upload_id": upload.pk},
        )
        return runs.submit(ask, by=by, now=now)


def _size(text: str) -> str:
    lines = text.count("\n") + (not text.endswith("\n"))
    return f"{lines:,} line{'s' if lines > 1 else ''}"


def _require_some(text: str) -> None:
    if not text.strip("\ufeff \t\r\n\x00"):
        raise EmptyImportError("hand in a list with something in it")


def run(work: Work) -> None:
    """Take over the upload that the run names, then forget its text."""
    upload = ImportUpload.objects.filter(pk=work.payload["upload_id"]).first()
    if upload is None:
        return  # an earlier attempt has done all of it
    options = ListOptions(upload.format, upload.default_protocol)
    work.report(phase="importing")
    tally = Tally()
    for tally in storing.take(
        parsing.parse_text(upload.text, options), source=None, now=timezone.now()
    ):
        work.report(counts=_counts(tally))
    work.event("import_result", {**_counts(tally), "reasons": dict(tally.reasons)})
    upload.delete()
    if tally.rejected and not tally.accepted:
        work.leave_partial(f"all {tally.rejected} entries were refused")
    elif not tally.accepted:
        work.leave_partial("there is no proxy in it")


def _counts(tally: Tally) -> dict[str, int]:
    return {
        "accepted": tally.accepted,
        "new": tally.new,
        "duplicates": tally.duplicates,
        "rejected": tally.rejected,
    }
