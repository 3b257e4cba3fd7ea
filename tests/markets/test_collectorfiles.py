"""The shape of collector files; every kind of bad one."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from markets import collectorfiles
from markets.collectorfiles import BadCollectorFileError

FOLDER = Path(__file__).parents[2] / "markets" / "configs" / "collector"
SHIPPED = (FOLDER / "binance_btcusdt_1m.yml").read_text()
GOOD = """\
name: okx_two
exchange: {id: okx}
symbols:
  - symbol: ETH/USDT
    timeframes: [1m]
mode: {type: range, start: "${WHEN}", end: 2024-06-01T00:00:00Z}
request: {limit: "${LIMIT:100}"}
"""


def read(text, **env):
    return collectorfiles.read(text, name="bad.yml", env=env)[0]


def test_shipped_files_are_good():
    for path in FOLDER.glob("*.yml"):
        assert collectorfiles.read(path.read_text(), name=path.name, env={})[0].name == path.stem


def test_read_expands_and_types_variables():
    file = read(GOOD, WHEN="2024-05-01T12:00:00Z")

    assert file.mode.start == datetime(2024, 5, 1, 12, tzinfo=UTC)
    assert file.request.limit == 100
    assert read(GOOD, WHEN="2024-05-01", LIMIT="250").request.limit == 250


def test_read_keeps_urls_as_written():
    assert read(SHIPPED).exchange.urls.rest == "${BINANCE_REST:}"


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("a ${X} b", "a 1 b"),
        ("${Y:two}", "two"),
        ("${Y:}", ""),
        ("$${X}", "${X}"),
        ("${X:9}", "1"),
        ("$X", "$X"),
    ],
)
def test_expand(text, expanded):
    assert collectorfiles.expand(text, {"X": "1"}) == expanded


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: okx_two\n", "", "bad.yml, line 1, name: is missing"),
        ("name: okx_two", "name: a b", "line 1, name: string should match"),
        ("id: okx", "id: okx, ids: 1", "line 2, exchange.ids: there is no such key"),
        ("id: okx", "id: okx, timeout_s: soon", "line 2, exchange.timeout_s: input should be a"),
        ("id: okx", "id: okx, timeout_s: -1", "line 2, exchange.timeout_s: input should be great"),
        ("symbol: ETH/USDT", "symbol: ETHUSDT", "line 4, symbols.0.symbol: string should match"),
        ("[1m]", "[1m, 7m]", "line 5, symbols.0.timeframes: '7m' is none of 1s, 1m"),
        ("[1m]", "[1m, 1m]", "line 5, symbols.0.timeframes: a timeframe is named twice"),
        ("[1m]", "[]", "line 5, symbols.0.timeframes: list should have at least 1 item"),
        ("${WHEN}", "${NEVER}", "line 6, mode.start: the variable NEVER is not set"),
        ("${WHEN}", "someday", "line 6, mode.start: input should be a valid datetime"),
        ("${WHEN}", "2025-01-01", "line 6, mode: start must be before end"),
        (", end: 2024-06-01T00:00:00Z", "", "line 6, mode: mode range needs start and end"),
        ("range", "backwards", "line 6, mode.type: input should be 'incremental', 'range' or"),
        ("${LIMIT:100}", "1", "line 7, request.limit: input should be greater than or equal to 2"),
        ("request:", "requests:", "line 7, requests: there is no such key"),
        ("request: {", "egress: sideways\nrequest: {", "line 7, egress: input should be 'direct'"),
        ("request: {", "retry: {base_s: 9, max_s: 1}\nrequest: {", "line 7, retry: max_s must not"),
        ("request: {", "name: again\nrequest: {", "the key 'name' is named twice (line 7)"),
        ("request: {", "request: {{", "bad.yml, line "),
        ("okx_two", "!!python/object:os.system x", "bad.yml, line 1: could not determine"),
    ],
)
def test_read_names_file_line_key_and_expectation(old, new, message):
    text = GOOD.replace(old, new)
    assert text != GOOD

    with pytest.raises(BadCollectorFileError) as caught:
        read(text, WHEN="2024-05-01")

    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "just words", "- a list", "\x00", "a: &x [*x]", "x" * 200_001]
)
def test_read_refuses_what_is_no_collector_file(text):
    with pytest.raises(BadCollectorFileError, match=r"^bad\.yml"):
        read(text)


def test_read_tells_all_problems_at_once():
    text = GOOD.replace("[1m]", "[7m]").replace("range", "backwards")

    with pytest.raises(BadCollectorFileError) as caught:
        read(text, WHEN="2024-05-01")

    assert [one.field for one in caught.value.fields] == ["symbols.0.timeframes", "mode.type"]
