"""Decides what a fresh demo holds: sources, collectors and holes that point at the sandbox.

Everything goes through the verbs that staff and programs use; what is there already stays.
"""

import contextlib
import json
import time
import urllib.request
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml
from django.conf import settings
from django.utils import timezone

from accounts import keys
from accounts.models import Plan, Subscription, User
from analysis import strategies, submitting
from analysis.models import Strategy
from markets import collecting, configuring
from markets.models import CollectorConfig
from project.core import runs
from project.core.callers import SYSTEM
from project.core.models import Run
from project.core.moments import stamp, to_ms
from project.runtime.demonstrating import ADDRESSES_FILE
from proxies import checking, fetching
from proxies.choices import ListFormat
from proxies.models import ProxySource

#: How much history the generated markets' collectors ask for.
HISTORY: Final = timedelta(days=2)
#: Which generated markets had an outage, and how long ago it began: three make it one of the exchange.
OUTAGE_AGO: Final = timedelta(hours=7)
OUTAGE_LASTS: Final = timedelta(minutes=25)
#: Films of the sandbox that are analysed without a network, and those that its model reads.
FILMS: Final = ("taiwan", "alps", "silent")
FILMS_FOR_THE_MODEL: Final = ("kansai", "interrail")
MODEL_STRATEGY: Final = "sandbox-model"
#: Somebody whose work staff see beside their own, and the file with the key.
CUSTOMER: Final = "customer@example.com"
CUSTOMER_PLAN: Final = "pro"
CUSTOMER_FILE: Final = "customer-key"
_PATIENCE_S: Final = 10


@dataclass(frozen=True, slots=True)
class Told:
    """What the sandbox says about one of its markets."""

    symbol: str
    timeframes: list[str]
    listed_ms: int
    is_generated: bool


def fill(data_dir: Path, *, now: datetime) -> list[str]:
    """Fill the installation with examples; return what was done, a line each."""
    places = json.loads((data_dir / ADDRESSES_FILE).read_text())
    told = _markets(places["control"])
    if CollectorConfig.objects.exists():
        return ["filled before"]
    done = [_sources(places, now=now)]
    if any(each.is_generated for each in told):
        _outage(places["control"], now=now)
        done.append(f"an outage of {OUTAGE_LASTS}, {OUTAGE_AGO} ago")
    done += [_collector(exchange, told, now=now) for exchange in ("binance", "okx")]
    customer = _customer(data_dir / CUSTOMER_FILE, now=now)
    done.append(f"{CUSTOMER}, a customer on plan {CUSTOMER_PLAN}: the key is in {CUSTOMER_FILE}")
    return [*done, _videos(places["videos"]["http"], customer, now=now)]


def _customer(file: Path, *, now: datetime) -> User:
    """Make somebody who pays, with a key that the owner of the data directory can read."""
    made = keys.create_for_email(CUSTOMER, name="Demo", by=SYSTEM, now=now)
    user = made.key.user
    plan = Plan.objects.get(name=CUSTOMER_PLAN)
    Subscription.objects.create(user=user, plan=plan, started_at=now, note="made by the demo")
    file.touch(mode=0o600)
    file.write_text(f"{made.secret}\n")
    return user


def _videos(site: str, customer: User, *, now: datetime) -> str:
    """Ask for films of the sandbox: some by the gazetteer, some by its model and its Nominatim."""
    owner = User.objects.filter(is_staff=True).order_by("pk").first()
    by = SYSTEM if owner is None else keys.caller_of_user(owner)
    if not Strategy.objects.filter(name=MODEL_STRATEGY).exists():
        made = Strategy(
            name=MODEL_STRATEGY,
            description="The sandbox's model and its Nominatim",
            model=settings.LLM_MODEL or "sandbox-1",
            geocode_mode="nominatim",
            language="en",
        )
        strategies.save(made, changed=set(), by=by)
    for film in FILMS:
        submitting.of_url(f"{site}/watch/{film}", by=keys.caller_of_user(customer), now=now)
    for film in FILMS_FOR_THE_MODEL:
        submitting.of_url(f"{site}/watch/{film}", strategy=MODEL_STRATEGY, by=by, now=now)
    return f"{len(FILMS) + len(FILMS_FOR_THE_MODEL)} videos on their way to the map"


def _markets(control: str) -> list[Told]:
    return [
        Told(
            symbol=each["symbol"],
            timeframes=each["timeframes"],
            listed_ms=each["listed_ms"],
            is_generated=each["prefix"] == "generated",
        )
        for each in _ask(f"{control}/markets")["markets"]
    ]


def _ask(url: str, body: Any = None) -> Any:
    """Ask the sandbox's control endpoint, which is on loopback."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310 -- the sandbox's own address
        url, data=data, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:  # noqa: S310 -- as above
        return json.loads(answer.read())


def _sources(places: dict[str, Any], *, now: datetime) -> str:
    """Name the sandbox's lists as sources, and fetch them."""
    base = places["lists"]["http"]
    lists = {"Sandbox: URL lines": "urls.txt", "Sandbox: plain lines": "plain.txt"}
    made = [
        ProxySource.objects.get_or_create(
            name=name,
            defaults={
                "url": f"{base}/lists/{file}", "format": ListFormat.AUTO, "interval_s": 300,
            },
        )[0]
        for name, file in lists.items()
    ]  # fmt: skip
    run = fetching.submit([source.pk for source in made], by=SYSTEM, now=now)
    _wait_for(run)
    with contextlib.suppress(checking.ValidationRunningError):
        checking.submit(checking.Selection(), by=SYSTEM, now=timezone.now())
    return f"{len(made)} proxy sources, and a round of checks"


def _wait_for(run: Run) -> None:
    """Wait until a run has ended, or for long enough: what comes after can do without it."""
    for _ in range(_PATIENCE_S * 5):
        run.refresh_from_db(fields=["status"])
        if run.is_final:
            return
        time.sleep(0.2)


def _outage(control: str, *, now: datetime) -> None:
    start = now.replace(second=0, microsecond=0) - OUTAGE_AGO
    window = {"start_ms": to_ms(start), "end_ms": to_ms(start + OUTAGE_LASTS)}
    _ask(f"{control}/outage", window)


def _collector(exchange: str, told: list[Told], *, now: datetime) -> str:
    """Make a collector of all the sandbox's markets, and start it."""
    start = (now - HISTORY).replace(minute=0, second=0, microsecond=0)
    if not any(each.is_generated for each in told):
        start = datetime.fromtimestamp(min(each.listed_ms for each in told) / 1000, tz=now.tzinfo)
    symbols = [{"symbol": each.symbol, "timeframes": _timeframes(each)} for each in told]
    document = {
        "name": f"demo_{exchange}",
        "exchange": {"id": exchange, "urls": {"rest": f"${{{exchange.upper()}_REST:}}"}},
        "symbols": symbols,
        "mode": {"type": "incremental", "start": stamp(start)},
        "egress": "proxy_preferred" if exchange == "binance" else "direct",
    }
    text = yaml.safe_dump(document, sort_keys=False)
    loaded = configuring.load(text, name=f"demo_{exchange}.yml")
    with contextlib.suppress(runs.AlreadyRunningError):  # the collect cycle was faster
        collecting.ask(loaded.collector, by=SYSTEM, now=now)
    return f"collector {loaded.collector.name}: {len(symbols)} markets"


def _timeframes(told: Told) -> list[str]:
    return ["1m", "1h"] if told.is_generated else told.timeframes
