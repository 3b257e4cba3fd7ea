"""Decides how Django's SQLite uses the pool and the writer gate; see ``project/db/README.md``.

The ``type: ignore`` here are for what Django has and its stubs lack.

Settings: ``ENGINE = "project.db.sqlite"``, ``CONN_MAX_AGE = 0``, and in ``OPTIONS`` Django's own
(``transaction_mode``, ``timeout``, ``init_command``) and ``pool`` (``options.py``).
"""

from collections.abc import Hashable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.sqlite3 import base
from django.utils.asyncio import async_unsafe
from django.utils.functional import cached_property

from project.db.counting import CountingErrorWrapper
from project.db.recording import Recorder
from project.db.sqlite import checkpoints, errors, options, registry, states
from project.db.sqlite.creation import DatabaseCreation
from project.db.sqlite.cursors import PooledCursor
from project.db.sqlite.features import DatabaseFeatures
from project.db.sqlite.members import Member
from project.db.sqlite.pooling import Pool
from project.db.statistics import PoolState

_DEFAULT_TIMEOUT_S = 5.0  # that of Python's sqlite3


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's SQLite, whose connections are lent by a pool and whose writes take turns.

    A database in memory, or ``OPTIONS["pool"] = False``, is Django's own.
    """

    creation_class = DatabaseCreation
    features_class = DatabaseFeatures
    # Set by Django's get_connection_params().
    transaction_mode: str | None
    init_commands: list[str]

    _member: Member | None = None
    _pool: Pool | None = None
    _pool_options: options.PoolOptions | None = None
    _timeout_s: float = _DEFAULT_TIMEOUT_S

    @property
    def holds_gate(self) -> bool:
        """Whether this thread's connection has the turn to write."""
        return self._member is not None and self._member.turn is not None

    @property
    def pool(self) -> Pool | None:
        """The pool of this database in this process; None where it has none."""
        params = self.get_connection_params()
        return None if self._pool_options is None else self._find_pool(params)

    def pool_state(self) -> PoolState | None:
        """Return what ``project.db.statistics`` makes its snapshot of."""
        pool = self.pool
        return None if pool is None else states.state_of(pool)

    def recycle_pool(self) -> int:
        """Replace every connection: free ones now, lent ones on their return."""
        return self.pool.recycle() if self.pool else 0

    def grow_pool(self, by: int) -> int:
        """Allow ``by`` more connections at once, within ``max_size``."""
        return self.pool.grow(by) if self.pool else 0

    def fold_wal(self) -> bool:
        """Bring the WAL into the file and shorten it; return whether nobody stood in the way."""
        return bool(self.pool) and checkpoints.fold_wal(self.settings_dict["NAME"])

    def close_pool(self) -> None:
        """Close the free connections of every thread; lent ones close when they come back."""
        if not self.is_in_memory_db():
            registry.close_pools(registry.path_of(str(self.settings_dict["NAME"])))

    def get_connection_params(self) -> dict[str, Any]:
        """Return what a connection is opened with; the pool's own options are taken out."""
        params: dict[str, Any] = super().get_connection_params()
        given = params.pop("pool", True)
        self._timeout_s = params.get("timeout", _DEFAULT_TIMEOUT_S)
        self._pool_options = None if self.is_in_memory_db() else options.read(given)
        if self._pool_options is not None and self.settings_dict["CONN_MAX_AGE"] != 0:
            raise ImproperlyConfigured(
                f"DATABASES[{self.alias!r}]: CONN_MAX_AGE must be 0 with a pool, "
                "which keeps connections open by itself"
            )
        return params

    @async_unsafe
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Borrow a connection from the pool, which opens one where that is due."""
        if self._pool_options is None:
            return super().get_new_connection(conn_params)
        connect = super().get_new_connection
        self._pool = self._find_pool(conn_params)
        self._member = self._pool.acquire(self, lambda: connect(conn_params))
        return self._member.raw

    def create_cursor(self, name: str | None = None) -> Any:
        """Return a cursor whose writes take their turn."""
        member = self._member
        if member is None:
            return super().create_cursor(name)
        timeout_s = self._timeout_s
        return self.connection.cursor(
            factory=lambda raw: PooledCursor(raw, member=member, timeout_s=timeout_s)
        )

    def is_usable(self) -> bool:
        """Say whether the borrowed connection still works; nobody may have closed it."""
        if self.connection is None:
            return False
        return self._member is None or self._member.is_open

    @cached_property
    def wrap_database_errors(self) -> CountingErrorWrapper:
        """Django's translation of errors, with counting."""
        return CountingErrorWrapper(self, recorder_of=self._recorder, kind_of=errors.kind_of)

    def forget_connection(self) -> None:
        """Let go of the connection without touching it: after a fork, or from a dead thread.

        Inside ``atomic()`` every further query fails, as after ``close()``: going on in a new
        connection would commit half of a transaction.
        """
        self._member = None
        self.connection = None
        self.run_on_commit = []
        if self.in_atomic_block:
            self.closed_in_transaction = True
            self.needs_rollback = True

    def _recorder(self) -> Recorder | None:
        return None if self._pool is None else self._pool.recorder

    def _find_pool(self, params: dict[str, Any]) -> Pool:
        assert self._pool_options is not None  # noqa: S101 -- callers looked
        how: Hashable = (tuple(params.items()), tuple(self.init_commands))
        path = registry.path_of(str(params["database"]))
        return registry.pool_of(path, options=self._pool_options, how=how)

    def _start_transaction_under_autocommit(self) -> None:
        if self._member is None or self.transaction_mode == "DEFERRED":
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
            return
        self._member.enter_gate(timeout_s=self._timeout_s)
        try:
            self._begin()
        except BaseException:
            self._member.leave_gate()
            raise

    def _begin(self) -> None:
        """Begin a transaction; by a cursor, which costs more than that, where somebody listens."""
        if self.queries_logged or self.execute_wrappers:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
            return
        with self.wrap_database_errors:
            self.connection.execute(f"BEGIN {self.transaction_mode or ''}")

    def _commit(self) -> None:
        try:
            super()._commit()  # type: ignore[misc]
        finally:
            self._leave_gate_after_transaction()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._leave_gate_after_transaction()

    def _set_autocommit(self, autocommit: bool) -> None:  # noqa: FBT001 -- Django's signature
        try:
            super()._set_autocommit(autocommit)  # type: ignore[misc]
        finally:
            self._leave_gate_after_transaction()

    def _leave_gate_after_transaction(self) -> None:
        if self._member is not None:
            self._member.leave_gate_after_transaction()

    def _close(self) -> None:
        member, self._member = self._member, None
        if member is None:
            super()._close()  # type: ignore[misc]
            return
        assert self._pool is not None  # noqa: S101 -- who has a member has its pool
        self.connection = None
        is_reusable = False
        try:
            is_reusable = member.restore()
        finally:
            self._pool.release(member, is_reusable=is_reusable)
