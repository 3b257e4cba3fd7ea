"""ccxt, loaded where it is first asked for."""

from functools import cache
from typing import Any


@cache
def ccxt() -> Any:
    """Return the module ``ccxt``.

    It holds a class of each exchange: a second and a half of a core and 85 MB, which a process that
    never asks an exchange need not pay.
    """
    import ccxt as found  # noqa: PLC0415 -- see above

    return found
