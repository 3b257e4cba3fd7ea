import threading

import pytest
from django.db import connection

from analysis.aside import beside


class StopError(Exception):
    pass


def never() -> None:
    """Nobody asks to stop."""


def test_a_call_returns_what_it_returns_and_raises_what_it_raises():
    def fails() -> None:
        raise ZeroDivisionError

    with beside(never) as aside:
        assert aside.call(lambda: 42) == 42
        assert aside.call(lambda: None) is None
        with pytest.raises(ZeroDivisionError):
            aside.call(fails)
        assert aside.call(threading.get_ident) != threading.get_ident()


def test_items_come_one_after_another():
    with beside(never) as aside:
        assert list(aside.each(iter([1, None, 3]))) == [1, None, 3]
        assert list(aside.each(iter([]))) == []


def test_a_stop_waits_for_no_call():
    """The call goes on in its thread; nobody waits for it."""
    begun, done = threading.Event(), threading.Event()

    def check() -> None:
        if begun.is_set():
            raise StopError

    def hangs() -> None:
        begun.set()
        done.wait(60)

    try:
        with beside(check) as aside, pytest.raises(StopError):
            aside.call(hangs)
        assert not done.is_set()
    finally:
        done.set()


def test_a_stop_comes_before_a_call():
    called: list[int] = []

    def check() -> None:
        raise StopError

    with beside(check) as aside, pytest.raises(StopError):
        aside.call(lambda: called.append(1))

    assert called == []


@pytest.mark.django_db(transaction=True)
def test_between_calls_the_thread_holds_no_connection():
    held: list[bool] = []

    def asks() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    with beside(never) as aside:
        aside.call(asks)
        aside.call(lambda: held.append(connection.connection is not None))

    assert held == [False]
