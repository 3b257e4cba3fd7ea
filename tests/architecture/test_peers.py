"""Each fault of other collectors that the docs name has the test that they name."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_test_that_the_docs_name_is_there():
    text = (ROOT / "docs" / "quality.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", text.partition("## How others lose data")[2]))
    code = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")
    )
    known = set(re.findall(r"def (test_\w+)\(", code))

    assert len(named) > 15
    assert named <= known, named - known
