"""Labelled text is read in every form that is documented."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.evaluating import corpora
from analysis.evaluating.corpora import Corpus, Label, NotLabelledError

TR_NEWS = """<articles><article docid="7"><title>A title</title>
<text><![CDATA[From Paris, he went to Paris in Texas.]]></text><toponyms>
<toponym><phrase>Paris</phrase><start>24</start><end>29</end><gaztag><lat>33.66</lat><lon>-95.55</lon></gaztag></toponym>
<toponym><phrase>Paris</phrase><start>5</start><end>10</end><gaztag><lat>48.85</lat><lon>2.35</lon></gaztag></toponym>
<toponym><phrase>Nowhere</phrase><start>5</start><end>10</end></toponym>
</toponyms></article></articles>"""
GEOVIRUS = """<articles><article><source>x</source><text>In Pandi, Bulacan.</text><locations>
<location><name>Pandi</name><start>4</start><end>9</end><lat>14.87</lat><lon>120.95</lon></location>
</locations></article></articles>"""


def read(tmp_path, name: str, text: str) -> Corpus:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    (found,) = corpora.read_folder(tmp_path)
    assert isinstance(found, Corpus)
    return found


def test_toponyms_are_read_where_their_words_stand(tmp_path):
    (document,) = read(tmp_path, "news.xml", TR_NEWS).documents

    assert document.labels == (
        Label(5, 10, "Paris", 48.85, 2.35),
        Label(23, 28, "Paris", 33.66, -95.55),
    )
    assert (document.name, document.title, document.lost) == ("7", "A title", 1)


def test_locations_are_read_though_counted_from_one(tmp_path):
    (document,) = read(tmp_path, "virus.xml", GEOVIRUS).documents

    assert document.labels == (Label(3, 8, "Pandi", 14.87, 120.95),)


def test_json_is_read_with_and_without_numbers(tmp_path):
    told = [
        {"id": "a", "text": "去東京、去東京", "places": [{"place": "東京"}, {"place": "東京"}]},
        {"text": "to rome", "language": "it", "places": [{"text": "rome", "start": 3, "lat": 41.9, "lon": 12.5}]},
    ]  # fmt: skip

    corpus = read(tmp_path, "own.json", json.dumps({"documents": told}))

    first, second = corpus.documents
    assert [(label.start, label.end) for label in first.labels] == [(1, 3), (5, 7)]
    assert (first.language, second.language) == ("zh", "it")
    assert second.labels == (Label(3, 7, "rome", 41.9, 12.5),)


def test_csv_is_read_a_row_for_each_label(tmp_path):
    rows = (
        "document,language,text,place,latitude,longitude\n"
        "a,en,from rome to bath to rome,rome,41.9,12.5\n"
        "a,,,rome,41.9,12.5\n"
        "b,en,nothing here,,,\n"
    )

    first, second = read(tmp_path, "own.csv", rows).documents

    assert [(label.start, label.latitude) for label in first.labels] == [(5, 41.9), (21, 41.9)]
    assert second.labels == ()


def test_a_list_of_places_is_no_text(tmp_path):
    corpus = read(tmp_path, "peaks.csv", "name,name_alt,lat,lon\nMt. A,B|C,1,2\n,,3,4\nD,,x,4\n")

    assert [(one.names, one.latitude) for one in corpus.features] == [(("Mt. A", "B", "C"), 1.0)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.xml", "<articles/>"),
        ("a.xml", "<articles>"),
        ("a.json", "[]"),
        ("a.json", "{"),
        ("a.json", '[{"text": 1, "places": []}]'),
        ("a.json", '[{"text": "x"}]'),
        ("a.json", '[{"text": "x", "places": [1]}]'),
        ("a.csv", ""),
        ("a.csv", "open,high\n1,2\n"),
    ],
)
def test_what_is_not_labelled_says_why(tmp_path, name, text):
    (tmp_path / name).write_text(text)

    (told,) = corpora.read_folder(tmp_path)

    assert isinstance(told, tuple)
    assert told[0] == name
    assert told[1]


def test_a_file_that_is_not_text_is_left_out(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "notes.md").write_text("no corpus")

    assert [one[0] for one in corpora.read_folder(tmp_path) if isinstance(one, tuple)] == ["a.json"]


def test_reading_one_form_raises_where_it_is_another(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"documents": 3}')

    with pytest.raises(NotLabelledError):
        corpora.read_json(path)


@given(
    st.text(max_size=80), st.lists(st.tuples(st.text(min_size=1, max_size=5), st.integers(-9, 99)))
)
def test_labels_always_stand_on_their_words(text, wanted):
    asked = [corpora._Wanted(start, words, None, None) for words, start in wanted]

    labels, lost = corpora._placed(text, asked)

    assert len(labels) + lost == len(wanted)
    assert all(text[label.start : label.end] == label.text for label in labels)
