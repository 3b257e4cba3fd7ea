"""Decides what one operation of the load test is, at each level.

Four of five only read: a row by its key, the ten newest entries of an account, or a sum. The
others write in one short transaction: a balance changes and an entry is added.
"""

import random
import sqlite3
from collections.abc import Callable
from typing import Any, Final

from django.db import connections, transaction
from django.db.models import F, Sum
from django.utils import timezone

from project.db.stress.plans import ORM, RAW
from project.db.stress.scratch import ACCOUNTS, Account, Entry

_BY_KEY = "SELECT id, name, balance, changed_at FROM db_stress_account WHERE id = {p}"
_NEWEST = (
    "SELECT id, amount, note, made_at FROM db_stress_entry WHERE account_id = {p} "
    "ORDER BY id DESC LIMIT 10"
)
_SUM = "SELECT SUM(amount) FROM db_stress_entry WHERE account_id = {p}"
_CHANGE = "UPDATE db_stress_account SET balance = balance + {p}, changed_at = {p} WHERE id = {p}"
_ADD = "INSERT INTO db_stress_entry (account_id, amount, note, made_at) VALUES ({p}, {p}, {p}, {p})"


#: Shares of the reads: up to here a row by its key, from there to the next a list.
_KEY_SHARE: Final = 0.5
_LIST_SHARE: Final = 0.8


class OrmOperations:
    """Operations through Django's ORM; the connection ends with each, as with a request."""

    def __init__(self, alias: str) -> None:
        """Work on the database ``alias``."""
        self._alias = alias
        self._accounts = Account.objects.using(alias)
        self._entries = Entry.objects.using(alias)

    def read(self, dice: random.Random) -> None:
        """Read one thing."""
        key, kind = dice.randint(1, ACCOUNTS), dice.random()
        if kind < _KEY_SHARE:
            self._accounts.get(pk=key)
        elif kind < _LIST_SHARE:
            list(self._entries.filter(account_id=key).order_by("-id")[:10])
        else:
            self._entries.filter(account_id=key).aggregate(total=Sum("amount"))

    def write(self, dice: random.Random) -> None:
        """Change one account."""
        key, amount = dice.randint(1, ACCOUNTS), dice.randint(1, 100)
        with transaction.atomic(using=self._alias):
            self._accounts.filter(pk=key).update(
                balance=F("balance") + amount, changed_at=timezone.now()
            )
            self._entries.create(account_id=key, amount=amount, note="stress")

    def end(self) -> None:
        """Do what Django does at the end of a request."""
        connections[self._alias].close()


class SqlOperations:
    """The same operations as SQL through Django's connection."""

    def __init__(self, alias: str) -> None:
        """Work on the database ``alias``."""
        self._alias = alias

    def read(self, dice: random.Random) -> None:
        """Read one thing."""
        with connections[self._alias].cursor() as cursor:
            _read(lambda sql, params: cursor.execute(sql.format(p="%s"), params), cursor, dice)

    def write(self, dice: random.Random) -> None:
        """Change one account."""
        with transaction.atomic(using=self._alias), connections[self._alias].cursor() as cursor:
            _write(lambda sql, params: cursor.execute(sql.format(p="%s"), params), dice)

    def end(self) -> None:
        """Do what Django does at the end of a request."""
        connections[self._alias].close()


class RawOperations:
    """The same operations on Python's sqlite3, with a connection per thread that stays open."""

    def __init__(self, database: dict[str, Any]) -> None:
        """Open the connection with the product's own settings."""
        options = database.get("OPTIONS", {})
        self._connection = sqlite3.connect(
            database["NAME"], timeout=options.get("timeout", 5), isolation_level=None
        )
        for command in options.get("init_command", "").split(";"):
            self._connection.execute(command)

    def read(self, dice: random.Random) -> None:
        """Read one thing."""
        cursor = self._connection.cursor()
        _read(lambda sql, params: cursor.execute(sql.format(p="?"), params), cursor, dice)

    def write(self, dice: random.Random) -> None:
        """Change one account."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            _write(lambda sql, params: self._connection.execute(sql.format(p="?"), params), dice)
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()

    def end(self) -> None:
        """Keep the connection."""


def operations(level: str, database: dict[str, Any], *, alias: str) -> Any:
    """Return the operations of one worker."""
    if level == RAW:
        return RawOperations(database)
    return OrmOperations(alias) if level == ORM else SqlOperations(alias)


def _read(execute: Callable[[str, list[Any]], Any], cursor: Any, dice: random.Random) -> None:
    key, kind = dice.randint(1, ACCOUNTS), dice.random()
    sql = _BY_KEY if kind < _KEY_SHARE else _NEWEST if kind < _LIST_SHARE else _SUM
    execute(sql, [key])
    cursor.fetchall()


def _write(execute: Callable[[str, list[Any]], Any], dice: random.Random) -> None:
    key, amount = dice.randint(1, ACCOUNTS), dice.randint(1, 100)
    now = timezone.now().isoformat(" ")
    execute(_CHANGE, [amount, now, key])
    execute(_ADD, [key, amount, "stress", now])
