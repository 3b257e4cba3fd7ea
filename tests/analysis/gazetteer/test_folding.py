"""Two spellings of one name have one key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.gazetteer import folding


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("São Paulo", "sao paulo"),
        ("Łódź", "LODZ"),
        ("Tromsø", "tromso"),
        ("Xi'an", "Xi’an"),
        ("St. John's", "Saint John"),
        ("Mt. Fuji", "mount fuji"),
        ("Ｔｏｋｙｏ", "tokyo"),
        ("臺北", "台北"),
        ("廣島", "広島"),
        ("渋谷", "澀谷"),
        ("Stratford-upon-Avon", "stratford upon avon"),
        ("U.S.", "u s"),
    ],
)
def test_spellings_of_one_name_have_one_key(one, other):
    assert folding.key_of(one) == folding.key_of(other) != ""


def test_different_names_keep_different_keys():
    keys = {
        folding.key_of(name) for name in ("が", "か", "台北", "台南", "Bath", "Baths", "ó", "a")
    }

    assert len(keys) == 8


def test_an_administrative_unit_is_found_with_and_without_its_suffix():
    assert folding.cjk_keys("臺北市") == ["台北市", "台北"]
    assert folding.cjk_keys("広島県") == ["广岛县", "广岛"]
    assert folding.cjk_keys("京都") == ["京都"]
    assert folding.cjk_keys("津市") == ["津市"]


def test_words_stand_where_they_say_and_lose_their_possessive():
    text = "In Kathmandu’s old town, we met. 九份 too"

    found = list(folding.words(text))

    assert [word.key for word in found] == ["in", "kathmandu", "old", "town", "we", "met", "too"]
    assert all(text[word.start : word.end] == word.text for word in found)


@given(st.text(max_size=60))
def test_words_of_any_text_lie_in_order_inside_it(text):
    end = 0

    for word in folding.words(text):
        assert text[word.start : word.end] == word.text
        assert word.start >= end
        assert word.key
        end = word.end


@given(st.text(max_size=40))
def test_folding_twice_changes_nothing(text):
    assert folding.fold(folding.fold(text)) == folding.fold(text)
