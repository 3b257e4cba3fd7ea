"""The ASGI application: streams and websockets before Django, all else through it."""

import os
import sys
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django_application = get_asgi_application()

from django.conf import settings  # noqa: E402 -- apps must be ready first
from django.urls import get_resolver, path, re_path  # noqa: E402 -- as above
from servestatic import ServeStaticASGI  # noqa: E402 -- as above

from accounts.api.asgi import CallerMiddleware  # noqa: E402 -- as above
from accounts.api.throttling import LimitedStream  # noqa: E402 -- as above
from analysis import routing as analysis_routing  # noqa: E402 -- as above
from project.core import garbage, processes, requests, routing, tracing, uploads  # noqa: E402 -- as above
from project.core.choices import Role  # noqa: E402 -- as above
from project.core.origins import CorsStream  # noqa: E402 -- as above
from proxies import routing as proxies_routing  # noqa: E402 -- as above

#: Channels' stubs know of Django's views alone, not of plain ASGI applications.
_router: Any = URLRouter
_path: Any = path
http = _router(
    [
        *[
            _path(route, CorsStream(CallerMiddleware(LimitedStream(app))))
            for route, app in (*routing.streams, *analysis_routing.sse)
        ],
        re_path(r"", django_application),  # type: ignore[arg-type]
    ]
)
websocket = CallerMiddleware(
    LimitedStream(
        _router(
            [
                _path(route, app)
                for route, app in (*routing.websockets, *analysis_routing.websockets)
            ]
        )
    )
)


class Entry:
    """The outermost application: binds request ids and starts this process's heart."""

    def __init__(self, app: Any) -> None:
        self.app = tracing.Traced(uploads.Bounded(app))

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one connection."""
        processes.begin(Role.WEB)
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        await requests.bound(self.app, scope, receive, send)


async def _lifespan(receive: Any, send: Any) -> None:
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    await send({"type": "lifespan.shutdown.complete"})


if "daphne.http_protocol" in sys.modules:  # who runs on uvicorn has no use for Twisted
    from project.runtime import bodies

    bodies.bound()

settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # empty until files are collected
routed = ProtocolTypeRouter(
    {
        "http": ServeStaticASGI(http, root=settings.STATIC_ROOT, prefix=settings.STATIC_URL),
        "websocket": websocket,
    }
)
desks = proxies_routing.Desks(routed, otherwise=django_application)
application = Entry(desks)
_ = get_resolver().url_patterns  # loads all views: the first request would else
garbage.settle()
