"""Run by Django's own runner in ``tests/db/test_runner.py``, in two processes."""

import threading

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.test import TestCase, TransactionTestCase

from tests.db import making
from tests.db.small.models import Note


class RolledBackTests(TestCase):
    """Each test in a transaction."""

    def test_writes_are_rolled_back(self):
        Note.objects.create(text="mine")
        assert making.wrapper(DEFAULT_DB_ALIAS).holds_gate
        assert Note.objects.count() == 2

    def test_hooks_are_captured(self):
        done = []
        with self.captureOnCommitCallbacks(execute=True), transaction.atomic(durable=True):
            transaction.on_commit(lambda: done.append(Note.objects.count()))
        assert done == [1]


class CommittedTests(TransactionTestCase):
    """Each test on real commits, with flushing between them."""

    def test_threads_share_the_file(self):
        def work():
            Note.objects.create(text="by a thread")
            connections.close_all()

        threads = [threading.Thread(target=work) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert Note.objects.filter(text="by a thread").count() == 10

    def test_flush_between_tests(self):
        assert Note.objects.filter(text="by a thread").count() == 0
