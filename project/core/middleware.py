"""How each middleware of ours begins: one class for synchronous and asynchronous servers.

A middleware that is synchronous only costs a thread per request under ASGI.
"""

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest


class Middleware:
    """The base: says once how it is called, and leaves the answer to its subclass."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """Answer ``request``, or give what is awaited for its answer."""
        return self.answer_async(request) if self.is_async else self.answer(request)

    def answer(self, request: HttpRequest) -> Any:
        """Answer ``request`` in a thread."""
        raise NotImplementedError

    async def answer_async(self, request: HttpRequest) -> Any:
        """Answer ``request`` in the event loop."""
        raise NotImplementedError
