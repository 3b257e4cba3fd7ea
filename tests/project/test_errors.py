from typing import Any

import pytest

from project.core import errors


@pytest.mark.parametrize(
    "family",
    [
        errors.InvalidInputError,
        errors.NotFoundError,
        errors.ConflictError,
        errors.QuotaExceededError,
        errors.TransientError,
        errors.PermanentError,
    ],
)
def test_error_says_its_title_or_the_detail_and_keeps_what_else_it_knows(family):
    bare, told = family(), family("why", run_id="7")

    assert (str(bare), bare.extra) == (family.title, {})
    assert (str(told), told.extra) == ("why", {"run_id": "7"})
    assert isinstance(told, errors.AppError)


def families() -> set[type[Any]]:
    found, more = set(), {errors.AppError}
    while more:
        found |= more
        more = {child for family in more for child in family.__subclasses__()} - found
    return found


def test_codes_of_errors_are_words_for_programs():
    for error in families():
        assert error.code.replace("_", "").isalnum(), error
        assert error.code == error.code.lower(), error
        assert error.title, error
