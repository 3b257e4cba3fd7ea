"""Decides which pool and gate belong to a file: one of each per process, whatever the thread.

They are kept here and not on Django's wrapper, of which there is one per thread.
"""

import atexit
import ctypes
import os
import threading
from collections.abc import Hashable
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from project.db.sqlite.gating import WriterGate
from project.db.sqlite.options import PoolOptions
from project.db.sqlite.pooling import Pool

_Key = tuple[str, PoolOptions, Hashable]

_mutex = threading.Lock()
_pools: dict[_Key, Pool] = {}
_gates: dict[str, WriterGate] = {}


@lru_cache(maxsize=256)
def path_of(name: str) -> str:
    """Return the real path of the file that a database's ``NAME`` means, also as an URI."""
    if name.startswith("file:"):
        name = unquote(urlsplit(name).path)
    return os.path.realpath(name)


def pool_of(path: str, *, options: PoolOptions, how: Hashable) -> Pool:
    """Return the pool of the file at ``path``, making it at first.

    Args:
        path: the real path.
        options: how the pool behaves.
        how: what connections are opened with; different ones can't stand in for each other.
    """
    key = (path, options, how)
    pool = _pools.get(key)
    if pool is not None:
        return pool
    with _mutex:
        return _pools.setdefault(key, Pool(path, options=options, gate=_gate_of(path, options)))


def pools_of(path: str) -> list[Pool]:
    """Return all pools of the file at ``path``."""
    return [pool for key, pool in list(_pools.items()) if key[0] == path]


def close_pools(path: str) -> None:
    """Forget the pools and the gate of ``path``: free connections close now, lent ones on return."""
    with _mutex:
        pools = [_pools.pop(key) for key in list(_pools) if key[0] == path]
        gate = _gates.pop(path, None)
    for pool in pools:
        pool.recycle()
    if gate is not None and gate.turn is None and not gate.waiting:
        gate.close()


def _gate_of(path: str, options: PoolOptions) -> WriterGate:
    gate = _gates.get(path)
    if gate is None:
        gate = _gates[path] = WriterGate(path, crosses_processes=options.gates_processes)
        gate.reclaim = lambda: _reclaim(path)
    return gate


def _reclaim(path: str) -> None:
    for pool in pools_of(path):
        pool.reclaim()


def _forget_after_fork() -> None:
    """Make a forked child start with no connection at all.

    An SQLite connection must neither be used nor closed across a fork: its locks belong to the
    parent. The objects are made immortal, so that not even the end of the child closes them.
    """
    global _mutex  # noqa: PLW0603 -- the parent's lock may be held by a thread that is not here
    _mutex = threading.Lock()
    raws = [raw for pool in _pools.values() for raw in pool.forget_all()]
    for raw in raws:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(raw))
    for gate in _gates.values():
        gate.close()
    _pools.clear()
    _gates.clear()


def _close_at_exit() -> None:
    """Close free connections, so that SQLite folds its WAL into the file."""
    for path in {key[0] for key in _pools}:
        close_pools(path)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
atexit.register(_close_at_exit)
