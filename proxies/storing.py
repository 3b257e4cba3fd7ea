"""Taking lists into the pool: what is new, what is known, what is refused; nothing ever leaves."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final

from django.db import transaction

from proxies.choices import ProxyState
from proxies.identity import Identity, Seen, endpoint_key
from proxies.models import Proxy, ProxySource, SourceEntry
from proxies.parsing import Candidate, Found, Refused, UnreadableListError

BATCH: Final = 500
#: Refused lines that are kept as samples.
SAMPLES: Final = 20
#: New proxies that a preview shows.
EXAMPLES: Final = 50


@dataclass(slots=True)
class Tally:
    """What became of a list.

    Attributes:
        accepted: proxies it named, each once.
        new: those of them that the pool didn't know.
        duplicates: entries that repeat another one, or name a known proxy.
        rejected: refused entries.
        reasons: how many were refused for which reason.
        samples: the first of them.
        examples: the first of the new ones; of a preview alone.
    """

    accepted: int = 0
    new: int = 0
    duplicates: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    samples: list[Refused] = field(default_factory=list)
    examples: list[Candidate] = field(default_factory=list)

    def refuse(self, found: Refused, *, keep: int = SAMPLES) -> None:
        """Count a refused entry, and keep it as one of the first ``keep``."""
        self.rejected += 1
        self.reasons[found.reason] += 1
        if len(self.samples) < keep:
            self.samples.append(found)


def take(entries: Iterable[Found], *, source: ProxySource | None, now: datetime) -> Iterator[Tally]:
    """Store what a list names, a batch at a time; yields the tally after each batch.

    Of a list that breaks off what came before is stored; none of it is taken back.

    Args:
        entries: as ``parsing.parse`` yields them.
        source: who names them; None for an import.
        now: the moment, UTC.
    """
    tally = Tally()
    seen = Seen()
    for portion in _portions(entries):
        batch = _batch(portion, tally, seen)
        new = _store(batch, source=source, now=now) if batch else 0
        tally.accepted += len(batch)
        tally.new += new
        tally.duplicates += len(batch) - new
        yield tally
    yield tally


def _batch(
    portion: list[Found], tally: Tally, seen: Seen, *, keep: int = SAMPLES
) -> dict[Identity, Candidate]:
    """Return the proxies of a portion that come for the first time; the tally counts the rest."""
    batch = {}
    for found in portion:
        if isinstance(found, Refused):
            tally.refuse(found, keep=keep)
        elif seen.is_new(identity := found.identity):
            batch[identity] = found
        else:
            tally.duplicates += 1
    return batch


def _portions(entries: Iterable[Found]) -> Iterator[list[Found]]:
    """Yield a batch at a time; of a list that breaks off, what came before, then its error."""
    portion: list[Found] = []
    try:
        for found in entries:
            portion.append(found)
            if len(portion) >= BATCH:
                yield portion
                portion = []
    except UnreadableListError:
        if portion:
            yield portion
        raise
    if portion:
        yield portion


def preview(entries: Iterable[Found], *, keep: int) -> Tally:
    """Return what ``take`` would do, and do nothing; ``accepted`` are those that would be new."""
    tally = Tally()
    seen = Seen()
    for portion in _portions(entries):
        batch = _batch(portion, tally, seen, keep=keep)
        known = batch.keys() & _known(batch).keys()
        tally.duplicates += len(known)
        tally.accepted += len(batch) - len(known)
        new = (found for identity, found in batch.items() if identity not in known)
        tally.examples += islice(new, EXAMPLES - len(tally.examples))
    tally.new = tally.accepted
    return tally


def _known(batch: dict[Identity, Candidate]) -> dict[Identity, Proxy]:
    rows = Proxy.objects.filter(host__in={found.host for found in batch.values()})
    columns = ("scheme", "host", "port", "username", "password_hash", "state")
    return {row.identity: row for row in rows.only(*columns)}


def _store(batch: dict[Identity, Candidate], *, source: ProxySource | None, now: datetime) -> int:
    """Write one batch; return how many of it were new."""
    with transaction.atomic():
        known = {key: row for key, row in _locked(batch).items() if key in batch}
        ids = [row.pk for row in known.values()]
        Proxy.objects.filter(pk__in=ids).update(last_seen_at=now)
        _revive(ids, now=now)
        missing = sorted(batch.keys() - known.keys())
        rows = [_row(batch[identity], identity, now=now) for identity in missing]
        Proxy.objects.bulk_create(rows, ignore_conflicts=True)
        if source is not None:
            ids += [row.pk for key, row in _known(batch).items() if key in missing]
            _name(ids, source=source, now=now)
    return len(missing)


def _locked(batch: dict[Identity, Candidate]) -> dict[Identity, Proxy]:
    """Lock the known rows by primary key, the order in which rounds of checks lock them."""
    hosts = {found.host for found in batch.values()}
    rows = Proxy.objects.filter(host__in=hosts).order_by("pk").select_for_update()
    columns = ("scheme", "host", "port", "username", "password_hash", "state")
    return {row.identity: row for row in rows.only(*columns)}


def _revive(ids: list[int], *, now: datetime) -> None:
    """Let retired proxies that a list names again be checked again; their history stays."""
    retired = Proxy.objects.filter(pk__in=ids, state=ProxyState.RETIRED)
    retired.update(state=ProxyState.FAILING, check_due_at=now, retired_at=None, failures_in_row=0)


def _row(found: Candidate, identity: Identity, *, now: datetime) -> Proxy:
    return Proxy(
        scheme=found.scheme,
        host=found.host,
        port=found.port,
        username=found.username,
        password=found.password,
        password_hash=identity[-1],
        country=found.country,
        exclusive_key=endpoint_key(identity),
        first_seen_at=now,
        last_seen_at=now,
        check_due_at=now,
    )


def _name(ids: list[int], *, source: ProxySource, now: datetime) -> None:
    rows = [
        SourceEntry(source=source, proxy_id=pk, first_seen_at=now, last_seen_at=now)
        for pk in sorted(ids)
    ]
    SourceEntry.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["source", "proxy"],
        update_fields=["last_seen_at"],
    )
