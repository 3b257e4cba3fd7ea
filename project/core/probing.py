"""Which addresses machines ask by a process's own address, and answers them whatever they call it."""

from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from project.core.middleware import Middleware

#: Prometheus and probes of containers ask each process by its IP address, which no setting can name.
PATHS: Final = frozenset({"/health/live", "/health/ready", "/health/metrics", "/metrics"})


class ProbeMiddleware(Middleware):
    """Lets probes name any host; no answer to them depends on it, nor holds it.

    Every other address refuses hosts that aren't ours: links in mails and pages are made of them.
    """

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        """Answer ``request``, a probe as if it had asked this machine by name."""
        _renamed(request)
        return self.get_response(request)  # type: ignore[no-any-return]

    async def answer_async(self, request: HttpRequest) -> HttpResponseBase:
        """Answer ``request``, a probe as if it had asked this machine by name."""
        _renamed(request)
        return await self.get_response(request)  # type: ignore[no-any-return]


def _renamed(request: HttpRequest) -> None:
    if request.path_info in PATHS:
        request.META["HTTP_HOST"] = "localhost"
