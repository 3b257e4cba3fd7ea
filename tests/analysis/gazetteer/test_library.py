"""Looking names up."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from analysis.gazetteer.places import ALTERNATE, WordFacts
from tests.analysis.gazetteers import entry, small


@pytest.fixture
def gazetteer(tmp_path):
    return small(
        tmp_path / "g.sqlite3",
        entry("Paris", weight=2_000_000),
        entry("Paris", country="US", weight=25_000, within=("US", "US.TX"), kind="town"),
        entry("Parys", country="ZA", weight=70_000, names=(("Parys", 0), ("Paris", ALTERNATE))),
        entry("Of", country="TR", names=(("Of", 0),)),
        entry("Most", country="CZ", names=(("Brüx", 0), ("Most", ALTERNATE))),
        facts={"most": [6.2, 1, 0, 0], "anna": [4.5, 0, 0.4, 0]},
    )


def test_homonyms_come_the_most_important_first(gazetteer):
    found = gazetteer.places({"paris", "nowhere"})

    assert [(place.name, place.country, place.rank) for place in found["paris"]] == [
        ("Paris", "FR", 0),
        ("Paris", "US", 0),
        ("Parys", "ZA", ALTERNATE),
    ]
    assert found["paris"][1].within == ("US", "US.TX")
    assert set(found) == {"paris"}


def test_a_foreign_name_that_is_an_ordinary_word_is_dropped(gazetteer):
    assert gazetteer.known({"most", "brux", "of"}) == {"brux", "of"}


def test_words_that_are_not_known_are_plain(gazetteer):
    assert gazetteer.words({"anna", "zzz"}) == {
        "anna": WordFacts(zipf=4.5, given=0.4),
        "zzz": WordFacts(),
    }


def test_more_keys_than_a_statement_takes_are_asked_in_batches(gazetteer):
    assert gazetteer.known({f"key {number}" for number in range(3000)} | {"paris"}) == {"paris"}


def test_threads_ask_at_once(gazetteer):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: len(gazetteer.places({"paris"})["paris"]), range(200)))

    assert set(found) == {3}


def test_the_file_is_read_only(gazetteer):
    assert gazetteer.meta() == {"version": "small", "places": "5"}
    with pytest.raises(Exception, match="readonly"):
        gazetteer._database().execute("DELETE FROM name")
