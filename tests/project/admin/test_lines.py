import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from project.core.admin.lines import LinesField

pytestmark = pytest.mark.once

WORDS = st.text("ab/*.:", min_size=1, max_size=8)


@given(st.lists(WORDS))
def test_a_list_is_read_back_as_it_is_shown(things):
    field = LinesField(required=False)

    assert field.clean(field.prepare_value(things)) == things
    assert not field.has_changed(things, field.prepare_value(things))


def test_blank_lines_and_ends_of_any_kind_count_for_nothing():
    assert LinesField().clean(" a \r\n\r\n\tb c\r\n") == ["a", "b c"]


def test_a_list_in_json_may_be_pasted():
    assert LinesField().clean('["a", "b"]') == ["a", "b"]
    with pytest.raises(ValidationError, match="no list in JSON"):
        LinesField().clean("[a")


def test_an_empty_one_is_refused_only_where_it_is_required():
    assert LinesField(required=False).clean("") == []
    with pytest.raises(ValidationError, match="required"):
        LinesField().clean(" \n")


def test_what_was_refused_is_shown_as_it_was_sent():
    field = LinesField()

    assert field.prepare_value("[a") == "[a"
    assert field.has_changed(["a"], "[a")
