"""Importing a list that somebody hands in: looked at first, or taken over as a run.

However long a list is, it is never held whole: it lies in a file, then in the parts of its upload.
"""

import tempfile
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from project.core import runs
from project.core.callers import Caller
from project.core.errors import InvalidInputError, PermanentError
from project.core.models import Run
from project.core.working import Work
from proxies import kinds, parsing, storing
from proxies.models import ImportPart, ImportUpload
from proxies.parsing import ListOptions
from proxies.storing import Tally

#: Refused entries that a preview tells one by one.
PREVIEWED: Final = 1000
#: Letters of one part of an upload.
PART: Final = 131_072
_CHUNK_BYTES: Final = 65_536
#: What is larger lies on the disk.
_IN_MEMORY_BYTES: Final = 1024 * 1024
#: What says nothing, in whichever encoding: marks of byte order, blanks, zeros.
_BLANK: Final = b"\xef\xbb\xbf\xff\xfe \t\r\n\x00"


class EmptyImportError(InvalidInputError):
    """There is nothing in the list."""

    code = "empty_import"
    title = "The list is empty"


class ListTooLargeError(InvalidInputError):
    """The list is larger than the setting allows."""

    code = "list_too_large"
    title = "The list is too large"


class ListGoneError(PermanentError):
    """The import is asked for again, and its list was taken over before, or is too old."""

    code = "list_gone"
    title = "The list is gone"


def read(file: IO[bytes]) -> IO[bytes]:
    """Return what was handed in as a file of its own, to be closed; of too large a one nothing.

    Raises:
        EmptyImportError: there is nothing in it.
        ListTooLargeError: it is larger than ``PROXY_LIST_MAX_BYTES``.
        UnreadableListError: it is no text.
    """
    copy = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115 -- handed on
    try:
        _copy(file, copy, most=settings.PROXY_LIST_MAX_BYTES)
        copy.seek(0)
        parsing.encoding_of(copy.read(_CHUNK_BYTES))
    except BaseException:
        copy.close()
        raise
    copy.seek(0)
    return copy


def read_text(text: str) -> IO[bytes]:
    """Return a text that was handed in as a file; as ``read``."""
    return read(parsing.file_of(text))


def _copy(file: IO[bytes], copy: IO[bytes], *, most: int) -> None:
    size, is_blank = 0, True
    while chunk := file.read(min(_CHUNK_BYTES, most + 1 - size)):
        size += len(chunk)
        if size > most:
            raise ListTooLargeError(f"a list may have {most / 1024**2:g} MiB: hand it in in parts")
        is_blank = is_blank and not chunk.strip(_BLANK)
        copy.write(chunk)
    if is_blank:
        raise EmptyImportError("hand in a list with something in it")


def preview(file: IO[bytes], options: ListOptions) -> Tally:
    """Return what an import of a file of ``read`` would take and refuse; nothing is written.

    Raises:
        UnreadableListError: the list as a whole can't be read.
    """
    return storing.preview(parsing.parse(file, options), keep=PREVIEWED)


def submit(file: IO[bytes], options: ListOptions, *, by: Caller, now: datetime) -> Run:
    """Keep a file of ``read``, encrypted, and ask for its import."""
    with transaction.atomic():
        upload = ImportUpload.objects.create(
            format=options.format, default_protocol=options.default_scheme, created_at=now
        )
        lines = _keep(file, upload)
        ask = runs.Ask(
            kind=kinds.IMPORT.name,
            subject=f"{lines:,} line{'s' if lines != 1 else ''}",
            payload={"upload_id": upload.pk},
        )
        return runs.submit(ask, by=by, now=now)


def _keep(file: IO[bytes], upload: ImportUpload) -> int:
    """Write the parts of an upload; return how many lines they are."""
    lines, part = 0, ""
    for number, part in enumerate(parsing.pieces_of(file, PART)):
        ImportPart.objects.create(upload=upload, number=number, text=part)
        lines += part.count("\n")
    return lines + (not part.endswith("\n"))


def _kept(upload: ImportUpload) -> Iterator[str]:
    """Yield the text of an upload part by part, each read when it is wanted."""
    if upload.text:
        yield upload.text
    texts = ImportPart.objects.filter(upload=upload).values_list("text", flat=True)
    number = 0
    while (part := texts.filter(number=number).first()) is not None:
        yield part
        number += 1


def run(work: Work) -> None:
    """Take over the upload that the run names, then forget its text.

    Raises:
        ListGoneError: there is nothing to take over.
        UnreadableListError: the list as a whole can't be read; it is kept for another try.
    """
    upload = ImportUpload.objects.filter(pk=work.payload["upload_id"]).first()
    if upload is None:
        if work.run.attempt > 1:
            return  # an earlier attempt has done all of it
        raise ListGoneError("the list is not kept any more: hand it in again")
    options = ListOptions(upload.format, upload.default_protocol)
    work.report(phase="importing")
    tally = Tally()
    entries = parsing.parse(parsing.file_of_pieces(lambda: _kept(upload)), options)
    for tally in storing.take(entries, source=None, now=timezone.now()):
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
