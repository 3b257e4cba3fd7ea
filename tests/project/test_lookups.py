import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import transaction

from project.core import lookups
from project.core.caching import Place
from tests.project.rivals import rivals

redis = pytest.mark.redis
pytestmark = pytest.mark.django_db


@redis
def test_what_is_kept_is_found_until_it_is_forgotten():
    lookups.begin().keep({"user:1": {"a": 1}, "user:2": []}, life_s=60)
    assert lookups.find("user:1", "user:2", "user:3") == {"user:1": {"a": 1}, "user:2": []}

    lookups.forget("user:1")

    assert "user:1" not in lookups.find("user:1")
    lookups.begin().keep({"user:1": 1}, life_s=60)
    lookups.forget_all()
    assert lookups.find("user:1", "user:2") == {}


@redis
def test_reader_that_looked_before_a_change_keeps_nothing():
    early = lookups.begin()
    # … and reads the database; meanwhile somebody changes the row:
    lookups.forget("user:1")

    early.keep({"user:1": "old"}, life_s=60)
    assert lookups.find("user:1") == {}

    lookups.begin()  # a token is there again
    assert lookups.find("user:1") == {}
    early.keep({"user:1": "old"}, life_s=60)
    assert lookups.find("user:1") == {}


@redis
@pytest.mark.django_db(transaction=True)
def test_reader_inside_the_others_transaction_keeps_nothing_that_outlives_it():
    with transaction.atomic():
        lookups.forget("user:1")
        lookups.begin().keep({"user:1": "as it was before the commit"}, life_s=60)

    assert lookups.find("user:1") == {}


@redis
def test_rivals_never_find_an_old_value():
    """One changes a row and forgets it, the others read it through: what they find is never older."""
    row, wrong = [0], []

    def work(number: int) -> None:
        for _ in range(100):
            if number == 0:
                row[0] += 1
                lookups.forget("row")
                continue
            least = row[0] - 1  # a change holds once it was forgotten
            found = lookups.find("row").get("row")
            if found is None:
                turn = lookups.begin()
                turn.keep({"row": row[0]}, life_s=60)
            elif found < least:
                wrong.append((found, least))

    rivals(6, work)

    assert wrong == []
    assert row == [100]


def test_without_a_shared_cache_nothing_is_kept(monkeypatch):
    monkeypatch.setattr(
        caches["shared"], "place", Place("redis://127.0.0.1:1/0", watch=lambda _: None)
    )
    for _ in range(2):  # the second time it is known to be away
        lookups.begin().keep({"user:1": 1}, life_s=60)
        assert lookups.find("user:1") == {}
        lookups.forget("user:1")

    assert settings.CACHES["shared"]["LOCATION"] == settings.REDIS_URL
