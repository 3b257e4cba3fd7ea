"""One base for middleware, on both kinds of servers."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse

from project.core.middleware import Middleware


class Marked(Middleware):
    def answer(self, request: HttpRequest) -> Any:
        found = self.get_response(request)
        found["X-Way"] = "sync"
        return found

    async def answer_async(self, request: HttpRequest) -> Any:
        found = await self.get_response(request)
        found["X-Way"] = "async"
        return found


def test_middleware_is_called_as_what_it_wraps():
    async def inner(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    sync, asynchronous = Marked(lambda _: HttpResponse()), Marked(inner)

    assert not iscoroutinefunction(sync)
    assert sync(HttpRequest())["X-Way"] == "sync"
    assert iscoroutinefunction(asynchronous)
    assert asyncio.run(asynchronous(HttpRequest()))["X-Way"] == "async"


def test_base_answers_nothing_by_itself():
    with pytest.raises(NotImplementedError):
        Middleware(lambda _: HttpResponse())(HttpRequest())
