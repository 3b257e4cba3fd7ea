"""``manage.py evaluate_places``."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from analysis.gazetteer import keeping
from tests.analysis import gazetteers

pytestmark = pytest.mark.timeout(600)
LABELLED = Path(__file__).resolve().parents[4] / "shared" / "data" / "places"
OWN = [
    {
        "id": "en",
        "text": "we flew from Rome to Kathmandu and it was nice",
        "places": [
            {"place": "Rome", "lat": 41.9, "lon": 12.5},
            {"place": "Kathmandu", "lat": 27.7, "lon": 85.3},
        ],
    },
    {"id": "zh", "text": "我們到臺北", "places": [{"place": "臺北", "lat": 25.1, "lon": 121.8}]},
]


@pytest.fixture(autouse=True)
def compiled(monkeypatch, whole_gazetteer):
    monkeypatch.setattr(keeping, "ensure", lambda tell: gazetteers.whole().path)


def evaluate(folder: Path, *more: str) -> str:
    out = StringIO()
    call_command("evaluate_places", str(folder), *more, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_figures_are_told_for_ours_and_the_look_up_and_by_language(tmp_path):
    (tmp_path / "own.json").write_text(json.dumps(OWN))

    told = evaluate(tmp_path)
    report = json.loads(evaluate(tmp_path, "--json", "-"))["corpora"]["own"]

    assert "own: 2 texts, 3 labels" in told
    assert "margin over the look-up" in told
    assert "own (zh): 1 texts, 1 labels" in told
    assert report["recognition"]["cased"]["names"]["ours"]["f1"] == 1.0
    assert report["recognition"]["speech"]["names"]["lookup"]["recall"] == 1.0
    assert report["resolution"]["ours"]["within_161_km"] == 1.0
    assert set(report["by_language"]) == {"en", "zh"}


def test_a_report_is_written_where_asked(tmp_path):
    (tmp_path / "own.json").write_text(json.dumps(OWN))
    target = tmp_path / "report.out"

    evaluate(tmp_path, "--json", str(target), "--part", "even")

    report = json.loads(target.read_text())
    assert report["part"] == "even"
    assert report["corpora"]["own"]["documents"] == 1


@pytest.mark.parametrize("make", [lambda path: path / "missing", lambda path: path])
def test_a_folder_without_labelled_text_is_an_error(tmp_path, make):
    (tmp_path / "broken.xml").write_text("<articles>")

    with pytest.raises(CommandError):
        evaluate(make(tmp_path))


def test_figures_below_what_is_asked_fail(tmp_path):
    (tmp_path / "own.json").write_text(json.dumps([{"text": "hello", "places": [{"place": "x"}]}]))

    with pytest.raises(CommandError, match=r"below 0\.7"):
        evaluate(tmp_path, "--at-least", "0.7")


@pytest.mark.skipif(not LABELLED.is_dir(), reason="the labelled news are not on this machine")
def test_labelled_news_are_found_better_than_by_looking_up_and_than_spacy():
    report = json.loads(evaluate(LABELLED, "--json", "-", "--part", "even"))["corpora"]["TR-News"]

    speech, cased = report["recognition"]["speech"], report["recognition"]["cased"]
    assert speech["all"]["ours"]["f1"] > 0.766
    assert cased["all"]["ours"]["f1"] > 0.82
    assert speech["names"]["ours"]["f1"] > speech["names"]["lookup"]["f1"] + 0.15
    assert cased["names"]["ours"]["f1"] > cased["names"]["lookup"]["f1"] + 0.1
    assert report["resolution"]["ours"]["within_161_km"] > 0.8
    assert (
        report["resolution"]["ours"]["within_161_km"]
        > report["resolution"]["lookup"]["within_161_km"] + 0.05
    )
