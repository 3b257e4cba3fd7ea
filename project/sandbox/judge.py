"""What a judge tells a proxy checker: the request as it arrived."""

from aiohttp import web

from project.sandbox import control
from project.sandbox.serving import HttpServer


class JudgeServer(HttpServer):
    """Answers ``/judge?nonce=…`` in the format of the product's own judge."""

    def __init__(self) -> None:
        super().__init__()
        self.app.add_routes(
            [web.route("*", "/judge", self.judge), *control.routes(self.faults, self.log)]
        )

    @property
    def judge_url(self) -> str:
        """Address to ask over plain HTTP."""
        return f"{self.url}/judge"

    @property
    def judge_tls_url(self) -> str:
        """Address to ask over HTTPS."""
        return f"{self.tls_url}/judge"

    async def judge(self, request: web.Request) -> web.Response:
        """Answer nonce, method, client address and headers."""
        return web.json_response(
            {
                "nonce": request.query.get("nonce"),
                "method": request.method,
                "remote": request.remote,
                "headers": dict(request.headers),
            }
        )
