"""Which lists are served: the running proxies in every shape, and a folder of files."""

from pathlib import Path

from aiohttp import web

from project.sandbox import control
from project.sandbox.lists.shapes import NEEDS_NO_PROTOCOL, SHAPES
from project.sandbox.proxies.fleet import Fleet
from project.sandbox.proxies.server import ProxyServer
from project.sandbox.proxies.specs import Protocol
from project.sandbox.serving import HttpServer


class ListServer(HttpServer):
    """Publishes ``/lists/<shape>`` and ``/files/<name>``."""

    def __init__(self, fleet: Fleet, *, folder: Path | None = None) -> None:
        super().__init__()
        self._fleet = fleet
        self.app.add_routes(
            [
                web.get("/lists/{shape}", self.publish),
                *control.routes(self.faults, self.log),
            ]
        )
        if folder is not None:
            self.app.add_routes([web.static("/files", folder)])

    def list_url(self, shape: str = "urls.txt") -> str:
        """Return the address of a list; ``SHAPES`` has the names."""
        return f"{self.url}/lists/{shape}"

    async def publish(self, request: web.Request) -> web.Response:
        """Answer the running proxies, those of ``?protocol=`` alone where it is given."""
        shape = request.match_info["shape"]
        if shape not in SHAPES:
            raise web.HTTPNotFound
        content_type, written = SHAPES[shape]
        protocol = request.query.get("protocol")
        if protocol is not None and protocol not in set(Protocol):
            raise web.HTTPBadRequest
        text = written(self._chosen(shape, protocol))
        return web.Response(text=text, content_type=content_type)

    def _chosen(self, shape: str, protocol: str | None) -> list[ProxyServer]:
        if shape not in NEEDS_NO_PROTOCOL:
            return [each for each in self._fleet if protocol in (None, each.spec.protocol)]
        wanted = protocol or Protocol.HTTP
        return [
            each
            for each in self._fleet
            if each.spec.protocol == wanted and each.spec.username is None
        ]
