import json
import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.utils.translation import gettext_lazy

from project.core.api.rendering import JsonRenderer


def test_json_names_moments_in_utc_and_keeps_text_as_it_is():
    data = {"at": datetime(2026, 1, 5, 12, tzinfo=UTC), "id": uuid.UUID(int=1), "ä": "日本", 1: 2}

    written = JsonRenderer().render(data).decode()

    assert json.loads(written) == {
        "at": "2026-01-05T12:00:00Z",
        "id": str(uuid.UUID(int=1)),
        "ä": "日本",
        "1": 2,
    }
    assert "日本" in written


def test_no_data_is_no_body():
    assert JsonRenderer().render(None) == b""


def test_lazy_text_is_text_and_anything_else_is_a_bug():
    assert JsonRenderer().render(gettext_lazy("Yes")) == b'"Yes"'
    with pytest.raises(TypeError):
        JsonRenderer().render({"a": Decimal(1)})
