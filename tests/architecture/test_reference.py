"""Nothing that can be named lacks its line in docs/reference.md."""

import pytest

from tests.architecture import reference


@pytest.mark.django_db
def test_reference_is_what_the_code_has():
    written = reference.FILE.read_text(encoding="utf-8")
    lines, wanted = written.splitlines(), reference.written().splitlines()

    missing = [line for line in wanted if line not in lines]
    too_many = [line for line in lines if line not in wanted]

    assert (missing, too_many) == ([], []), "run python -m tests.architecture.reference"
    assert written == reference.written()


def test_every_line_says_something():
    rows = [
        line for line in reference.FILE.read_text("utf-8").splitlines() if line.startswith("| ")
    ]

    assert len(rows) > 150
    assert [
        row for row in rows if any(not cell.strip() for cell in row.strip("|").split("|"))
    ] == []
