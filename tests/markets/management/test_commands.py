"""Commands, by hand beside a running installation."""

import csv
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from markets import collecting
from markets.management import following
from markets.models import BackfillTask, Candle, CollectorConfig, Gap
from project.core import kinds, runs
from project.core.callers import SYSTEM
from project.core.errors import TransientError
from project.core.models import Run
from project.core.moments import from_ms
from tests.markets import doing
from tests.markets.factories import MINUTE, START_MS, make_candles, make_market, make_series
from tests.markets.test_collectorfiles import SHIPPED

START = "2026-01-05T00:00:00Z"
NAME = "binance:BTC/USDT"


def run(name, *args, **options):
    out = StringIO()
    call_command(name, *args, stdout=out, **options)
    return out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_collect_works_by_hand(world, no_naps):
    doing.make_local(world, name="mine", start_at=START)

    told = run("collect", "mine")

    assert told.startswith("mine: done in ")
    assert "2,886 candles" in told
    assert Candle.objects.count() == 2886


@pytest.mark.django_db
def test_collect_says_which_collectors_there_are():
    with pytest.raises(CommandError, match="no collector is enabled"):
        run("collect")
    with pytest.raises(CommandError, match="no collector other; there are: none"):
        run("collect", "other")


@pytest.mark.django_db(transaction=True)
def test_collect_follows_a_run_that_is_under_way(world, no_naps):
    collector = doing.make_local(world, name="mine", start_at=START)
    collecting.ask(collector, by=SYSTEM, now=timezone.now())

    run("collect", "mine")

    assert Run.objects.filter(kind="markets.collect").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_run_that_waits_says_until_when_and_why(capsys):
    kind = kinds.get("markets.quality")
    asked = runs.submit(runs.Ask(kind=kind.name), by=SYSTEM, now=timezone.now())
    attempts = []

    def work(_):
        attempts.append(1)
        if len(attempts) == 1:
            raise TransientError("the circuit is broken", retry_after_s=0.6)

    run = following.do(asked, work, out=StringIO())

    assert (run.status, len(attempts)) == ("done", 2)
    said = capsys.readouterr().err
    assert re.search(r"waits until [\d:]{8} UTC: .*the circuit is broken", said), said


@pytest.mark.django_db(transaction=True)
def test_check_and_backfill_by_hand(world, no_naps):
    doing.make_local(world, name="mine", start_at=START)
    run("collect", "mine")
    lost = Candle.objects.filter(open_time__in=[START_MS + 60_000, START_MS + 120_000])
    lost.delete()

    checked = run("check_quality", market="binance:BTC/USDT", list=True, no_repair=True)
    filled = run(
        "backfill", "--market", "binance:BTC/USDT", "--from", START, "--to", "2026-01-05T00:05"
    )

    assert "2026-01-05T00:01Z 2026-01-05T00:03Z 2 missing, unknown, open" in checked
    assert "1 series checked: 1 gaps, 1 of them new" in checked
    assert "completed, 2 candles found" in filled
    assert Gap.objects.get().state == "closed"
    assert BackfillTask.objects.get().origin == "command"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("market", "end", "message"),
    [
        ("nowhere", "2026-01-06", "no market 'nowhere'"),
        ("binance:BTC/USDT", "2026-01-04", "end: must be after start"),
    ],
)
def test_backfill_says_what_is_wrong(market, end, message):
    make_series("BTC/USDT")

    with pytest.raises(CommandError, match=message):
        run("backfill", "--market", market, "--from", START, "--to", end)


@pytest.mark.django_db
def test_collector_files_go_in_and_come_out(tmp_path):
    path = tmp_path / "binance_btcusdt_1m.yml"
    path.write_text(SHIPPED)

    assert run("load_collectors", str(path)) == "binance_btcusdt_1m: made\n"
    assert run("load_collectors", str(path)) == "binance_btcusdt_1m: unchanged\n"
    folder = tmp_path / "out"
    run("dump_collectors", to=folder)
    assert run("load_collectors", str(folder / "binance_btcusdt_1m.yml")).endswith("unchanged\n")
    assert "name: binance_btcusdt_1m" in run("dump_collectors", "binance_btcusdt_1m")
    with pytest.raises(CommandError, match="no collector x"):
        run("dump_collectors", "x")


@pytest.mark.django_db
def test_the_shipped_files_are_found_by_their_usual_place():
    told = run("load_collectors", "configs/collector/binance_btcusdt_1m.yml")

    assert told == "binance_btcusdt_1m: made\n"
    assert run("load_collectors") == "binance_btcusdt_1m: unchanged\n"
    assert run("load_collectors", "configs/collector/*.yml") == "binance_btcusdt_1m: unchanged\n"


@pytest.mark.django_db
def test_of_several_files_none_is_taken_where_one_is_bad(tmp_path):
    good, bad = tmp_path / "good.yml", tmp_path / "bad.yml"
    good.write_text(SHIPPED)
    bad.write_text("name: x\nexchange: {id: binance}\n")

    with pytest.raises(CommandError, match=r"bad\.yml, line 1, symbols: is missing"):
        run("load_collectors", str(good), str(bad), str(tmp_path / "missing.yml"))

    assert not CollectorConfig.objects.exists()


@pytest.mark.django_db
def test_candles_go_out_and_come_in_equal(tmp_path):
    series = make_series("BTC/USDT")
    rows = make_candles(series, 20, without=(4,))
    path = tmp_path / "out.csv"

    run("export_candles", str(path), market="binance:BTC/USDT", timeframe="1m")
    told = run("import_candles", str(path), market="okx:BTC/USDT", timeframe="1m")

    heading, more = told.splitlines()
    assert heading == "okx:BTC/USDT 1m: 19 candles read, 19 new, 0 changed"
    assert more.endswith("UTC, csv, checksum none, 1 missing in between")
    names = ("open_time", "open", "high", "low", "close", "volume")
    copied = Candle.objects.filter(series__market__exchange__name="okx").order_by("open_time")
    assert list(copied.values_list(*names)) == [row[:6] for row in rows]
    assert len(list(csv.reader(path.open()))) == 20


@pytest.mark.django_db
def test_import_says_what_is_wrong(tmp_path):
    make_market("BTC/USDT")

    with pytest.raises(CommandError, match="No such file"):
        run("import_candles", str(tmp_path / "x"), market="binance:BTC/USDT", timeframe="1m")
    with pytest.raises(CommandError, match="is no market"):
        run("import_candles", str(tmp_path / "x"), market="BTC", timeframe="1m")


@pytest.fixture
def kept():
    series = make_series("BTC/USDT")
    make_candles(series, 20, without=(5, 6))
    return series


@pytest.mark.django_db
def test_a_check_lists_gaps_and_repairs_only_where_it_may(kept):
    told = run("check_quality", market=NAME, timeframe="1m", no_repair=True, list=True)

    assert f"{NAME} 1m 2026-01-05T00:05Z 2026-01-05T00:07Z 2 missing, unknown, open" in told
    assert "1 series checked: 1 gaps, 1 of them new; 0 closed; 0 backfill tasks made" in told
    assert not BackfillTask.objects.exists()
    with pytest.raises(CommandError, match="no market 'binance:NO/NE'"):
        run("check_quality", market="binance:NO/NE")


@pytest.mark.django_db
def test_candles_are_written_to_the_output_also_made_ones(kept):
    told = run("export_candles", market=NAME, timeframe="5m").splitlines()

    assert told[0] == "open_time_ms,open,high,low,close,volume,missing"
    cells = told[2].split(",")
    first = kept.candles.get(open_time=START_MS + 7 * MINUTE)
    assert cells[:2] == [str(START_MS + 5 * MINUTE), str(first.open)]
    assert cells[-1] == "2"


@pytest.mark.django_db
def test_an_export_says_what_is_wrong_and_leaves_nothing_behind(kept, tmp_path):
    for options, message in (
        ({"market": "binance:NO/NE"}, "no market"),
        ({"timeframe": "1s"}, "not kept in 1s"),
        ({"start": kept_at(3), "end": kept_at(2)}, "must be after start"),
    ):
        with pytest.raises(CommandError, match=message):
            run(
                "export_candles",
                tmp_path / "a.csv",
                **{"market": NAME, "timeframe": "1m", **options},
            )
    with pytest.raises(CommandError, match="a file of candles ends in"):
        run("export_candles", tmp_path / "a.xlsx", market=NAME, timeframe="1m")
    with pytest.raises(CommandError):
        run("export_candles", tmp_path / "none" / "a.csv", market=NAME, timeframe="1m")
    assert list(tmp_path.iterdir()) == []


def kept_at(number):
    return from_ms(START_MS + number * MINUTE)


@pytest.mark.django_db
def test_a_dry_import_tells_what_it_would_do(kept, tmp_path):
    path = tmp_path / "BTC_USDT-1m.csv"
    lines = [f"{START_MS + n * MINUTE},1,2,0.5,1.5,10\n" for n in range(6)]
    path.write_text("".join(lines) + "x,1,2,0.5,1.5,10\n")

    told = run("import_candles", path, market=NAME, dry_run=True)

    assert "(dry run): 6 candles read, 1 new, 5 changed" in told
    assert "differ by a tenth or more" in told
    assert "left out: 1 unreadable" in told
    assert "line 7: Invalid isoformat" in told
    assert kept.candles.count() == 18
    with pytest.raises(CommandError, match="tells no timeframe"):
        run("import_candles", path.rename(tmp_path / "a.csv"), market=NAME)


@pytest.mark.django_db
@pytest.mark.parametrize("command", ["audit_candles", "check_quality"])
def test_markets_and_timeframes_that_are_not_there_are_told(kept, command):
    for options, message in (
        ({"market": "binance:NO/NE"}, "no market"),
        ({"market": NAME, "timeframe": "1d"}, "is not kept in 1d"),
        ({"timeframe": "7m"}, "there is no timeframe '7m'"),
    ):
        with pytest.raises(CommandError, match=message):
            run(command, **options)
    assert not Run.objects.exists()
