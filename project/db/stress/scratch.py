"""Decides which tables the load test works on, and what stands in them at the start.

The models have an app registry of their own: the product's admin, migrations and checks never
see them.
"""

from typing import ClassVar

from django.apps.registry import Apps
from django.db import connections, models

ACCOUNTS = 1_000
ENTRIES = 10_000

_apps = Apps()


class Account(models.Model):
    """Something that is read often and written sometimes."""

    name = models.CharField(max_length=60, unique=True)
    balance = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField(auto_now=True)

    objects: ClassVar["models.Manager[Account]"] = models.Manager()

    class Meta:
        """Not of this product's apps."""

        apps = _apps
        app_label = "db_stress"

    def __str__(self) -> str:
        return self.name


class Entry(models.Model):
    """Something that only grows."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="entries")
    amount = models.IntegerField()
    note = models.CharField(max_length=120)
    made_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar["models.Manager[Entry]"] = models.Manager()

    class Meta:
        """Not of this product's apps."""

        apps = _apps
        app_label = "db_stress"
        # The load test lists the newest entries of an account.
        indexes = [models.Index(fields=["account", "-id"], name="db_stress_entry_newest")]

    def __str__(self) -> str:
        return f"{self.amount} ({self.note})"


def create(alias: str) -> None:
    """Make the tables and fill them."""
    drop(alias)
    with connections[alias].schema_editor() as editor:
        editor.create_model(Account)
        editor.create_model(Entry)
    Account.objects.using(alias).bulk_create(
        [Account(id=number, name=f"account {number}") for number in range(1, ACCOUNTS + 1)],
        batch_size=500,
    )
    Entry.objects.using(alias).bulk_create(
        [
            Entry(account_id=number % ACCOUNTS + 1, amount=number % 97, note=f"entry {number}")
            for number in range(ENTRIES)
        ],
        batch_size=500,
    )


def drop(alias: str) -> None:
    """Remove the tables, if they are there."""
    connection = connections[alias]
    present = connection.introspection.table_names()
    with connection.schema_editor() as editor:
        for model in (Entry, Account):
            if model._meta.db_table in present:
                editor.delete_model(model)
