"""Fetching lists: which sources are due, what came of each, when it is tried again."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from project.core import runs, scrubbing, tracing
from project.core.callers import Caller
from project.core.errors import FieldProblem, InvalidInputError, PermanentError
from project.core.models import Run
from project.core.working import Work
from proxies import kinds, metrics, parsing, storing
from proxies.adapters import lists, loops
from proxies.adapters.lists import DownloadError, ListRequest
from proxies.choices import FetchError, FetchOutcome, SourceKind
from proxies.models import ProxySource, SourceFetch
from proxies.parsing import Found, ListOptions
from proxies.storing import Tally

#: Failures in a row from which a source is asked less and less often.
BACK_OFF_AFTER: Final = 3
LONGEST_INTERVAL: Final = timedelta(hours=24)
_DOUBLINGS: Final = 10


class UnknownSourceError(InvalidInputError):
    """There is no such source."""

    code = "unknown_source"
    title = "No such source"


class NothingFetchedError(PermanentError):
    """Each of the sources failed; they are tried again when they are next due."""

    code = "nothing_fetched"
    title = "No source could be fetched"


def limits() -> lists.Limits:
    """Return how long a download may take and how large it may be."""
    return lists.Limits(size_bytes=settings.PROXY_LIST_MAX_BYTES)


def submit(sources: Sequence[int], *, by: Caller, now: datetime) -> Run:
    """Ask for a fetch of ``sources``, whether due or not; of all enabled ones where none is named.

    Raises:
        UnknownSourceError: one of them does not exist.
    """
    known = set(ProxySource.objects.filter(pk__in=sources).values_list("pk", flat=True))
    if missing := sorted(set(sources) - known):
        detail = f"no source {', '.join(map(str, missing))}"
        raise UnknownSourceError(detail, fields=(FieldProblem("sources", "unknown", detail),))
    named = ", ".join(map(str, sources))
    ask = runs.Ask(
        kind=kinds.FETCH.name,
        subject=f"sources {named}" if sources else "all enabled sources",
        payload={"sources": sorted(known)} if sources else {"all": True},
    )
    return runs.submit(ask, by=by, now=now)


def run(work: Work) -> None:
    """Fetch what the run was asked for; from beat, the sources that are due."""
    done = set(work.checkpoint.get("done", []))
    sources = [each for each in _asked(work.payload, now=timezone.now()) if each.pk not in done]
    totals = {"sources": len(sources) + len(done), "failed": 0, "new": 0, "rejected": 0}
    totals |= {name: work.run.counts[name] for name in totals if name in work.run.counts}
    work.report(phase="fetching", counts=totals)
    failed = []
    for source, tally, error in _fetched(sources, work):
        if error:
            failed.append(source.name)
        totals["failed"] += bool(error)
        totals["new"] += tally.new
        totals["rejected"] += tally.rejected
        done.add(source.pk)
        work.report(progress=100 * len(done) / totals["sources"], counts=totals)
        work.keep(done=sorted(done))
    if failed and totals["failed"] == totals["sources"]:
        raise NothingFetchedError(f"failed: {', '.join(failed)}")
    if failed:
        work.leave_partial(f"{len(failed)} of {totals['sources']} failed: {', '.join(failed)}")


def _asked(payload: dict[str, Any], *, now: datetime) -> list[ProxySource]:
    """Return the sources, without pasted lists: each is read when its turn has come."""
    if "sources" in payload:
        found = ProxySource.objects.filter(pk__in=payload["sources"])
    elif payload.get("all"):
        found = ProxySource.objects.enabled()
    else:
        found = ProxySource.objects.due(at=now)
    return list(found.defer("text", "last_samples"))


def _fetched(
    sources: Sequence[ProxySource], work: Work
) -> Iterator[tuple[ProxySource, Tally, DownloadError | None]]:
    """Yield each source with what it gave, as they come in; what it came to is written."""
    pasted = [source for source in sources if source.kind == SourceKind.TEXT]
    for source in pasted:
        text = ProxySource.objects.values_list("text", flat=True).get(pk=source.pk)
        entries = parsing.parse_text(text, _options(source))
        yield source, *_take(source, entries, took_s=0.0, work=work)
    remote = {source.pk: source for source in sources if source.kind == SourceKind.URL}
    asked = [ListRequest(pk, source.url, headers_of(source)) for pk, source in remote.items()]
    if not asked:
        return
    for found in loops.iterate(lambda: lists.download_all(asked, limits=limits())):
        source = remote[found.key]
        if found.file is None:
            error = found.error or DownloadError("nothing came")
            finish(source, Tally(), error=error, took_s=found.took_s, now=timezone.now())
            yield source, Tally(), error
        else:
            with found.file:
                entries = parsing.parse(found.file, _options(source))
                yield source, *_take(source, entries, took_s=found.took_s, work=work)


def headers_of(source: ProxySource) -> dict[str, str]:
    """Return the headers that staff gave a source; lines without a colon are passed over."""
    pairs = (line.partition(":") for line in source.headers.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}


def _options(source: ProxySource) -> ListOptions:
    return ListOptions(source.format, source.default_protocol)


def _take(
    source: ProxySource, entries: Iterable[Found], *, took_s: float, work: Work
) -> tuple[Tally, DownloadError | None]:
    """Take one list into the pool and write down what it came to."""
    now = timezone.now()
    tally, error = Tally(), None
    try:
        with tracing.span("proxies.take_list", source__id=source.pk):
            for latest in storing.take(entries, source=source, now=now):
                tally = latest
                work.check()
    except parsing.UnreadableListError as unreadable:
        error = DownloadError(str(unreadable), kind=FetchError.PARSE)
    finish(source, tally, error=error, took_s=took_s, now=now)
    return tally, error


def finish(
    source: ProxySource,
    tally: Tally,
    *,
    error: DownloadError | None,
    took_s: float,
    now: datetime,
) -> None:
    """Write down what fetching a source came to, and when it is due again."""
    outcome = FetchOutcome.SUCCESS if tally.accepted else FetchOutcome.EMPTY
    if error is not None:
        outcome = FetchOutcome.ERROR
        metrics.FETCH_FAILURES.labels(source.name, error.kind).inc()
    metrics.FETCHES.labels(source.name, outcome).inc()
    metrics.FETCH_DURATION.labels(source.name).observe(took_s)
    SourceFetch.objects.create(
        source=source,
        at=now,
        outcome=outcome,
        error_type=error.kind if error else "",
        took_s=took_s,
        accepted=tally.accepted,
        new=tally.new,
        rejected=tally.rejected,
    )
    went_well = outcome == FetchOutcome.SUCCESS
    failures = 0 if went_well else source.failures_in_row + 1
    source.failures_in_row = failures
    ProxySource.objects.filter(pk=source.pk).update(
        last_fetch_at=now,
        next_fetch_at=now + next_interval(source.interval_s, failures_in_row=failures),
        last_outcome=outcome,
        last_error_type=error.kind if error else "",
        last_error=scrubbing.text(str(error))[:300] if error else "",
        last_accepted=tally.accepted,
        last_new=tally.new,
        last_rejected=tally.rejected,
        last_samples=[asdict(sample) for sample in tally.samples],
        last_duration_s=took_s,
        failures_in_row=failures,
    )


def next_interval(interval_s: int, *, failures_in_row: int) -> timedelta:
    """Return the time to the next fetch: doubled with each failure from the third in a row on."""
    usual = timedelta(seconds=interval_s)
    doublings = min(_DOUBLINGS, max(0, failures_in_row - BACK_OFF_AFTER + 1))
    return max(usual, min(LONGEST_INTERVAL, usual * (1 << doublings)))
