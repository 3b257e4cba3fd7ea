"""How requests leave: one way only, never redirected, bounded in time and size."""

import time
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from project.core import tracing

#: An answer larger than this is none of ours (Binance's exchangeInfo has 16 MB).
MAX_BYTES: Final = 64 * 1024 * 1024
_PIECE: Final = 65_536


class OneWaySession(requests.Session):
    """A session whose every request goes through ``proxy_url``, or directly where it is empty.

    ccxt's own proxy settings hold for one scheme only, and a redirect to the other would go out
    directly: here the way is set where the request is sent. A redirect is not followed.
    """

    def __init__(self, proxy_url: str, *, at_most_s: float) -> None:
        super().__init__()
        self.trust_env = False
        self._proxies = {"http": proxy_url, "https": proxy_url} if proxy_url else {}
        self._at_most_s = at_most_s

    def send(self, request: Any, **kwargs: Any) -> requests.Response:
        """Send one request and read its whole answer."""
        host = urlsplit(request.url).hostname or ""
        with tracing.span("outside.exchange", server__address=host, proxied=bool(self._proxies)):
            return self._answer(request, **kwargs)

    def _answer(self, request: Any, **kwargs: Any) -> requests.Response:
        kwargs |= {"proxies": self._proxies, "allow_redirects": False, "stream": True}
        ends_s = time.monotonic() + self._at_most_s
        response = super().send(request, **kwargs)
        pieces, size = [], 0
        for piece in response.iter_content(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_BYTES:
                response.close()
                raise requests.exceptions.ContentDecodingError("the answer is too long")
            if time.monotonic() > ends_s:
                response.close()
                raise requests.exceptions.ReadTimeout("the answer takes too long")
        response._content = b"".join(pieces)  # noqa: SLF001 -- as requests itself does it
        return response
