"""Decides what daphne does with the bodies of requests: nothing but keep them, up to the limit.

Left to itself it reads each form that is posted, a second time and in memory (a file of 100 MB took
1.5 GB and 20 s before the product was asked), and keeps bodies of any size.
"""

from typing import Any

from daphne import http_protocol
from django.conf import settings

from project.core import uploads


class BoundedRequest(http_protocol.WebRequest):  # type: ignore[misc]  # daphne has no types
    """A request of daphne's whose body is kept only as far as ``UPLOAD_MAX_BYTES``.

    What is beyond is read and dropped, so that the client hears the product's 413; of what is far
    beyond the connection is cut.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, parsePOSTFormSubmission=False, **more)
        self._dropped = 0
        self._is_kept = True

    def gotLength(self, length: int | None) -> None:  # noqa: N802 -- Twisted's name
        """Note whether the body says that it is too large: then nothing of it is kept."""
        self._is_kept = length is None or length <= settings.UPLOAD_MAX_BYTES
        super().gotLength(length if self._is_kept else 0)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 -- Twisted's name
        """Keep some bytes of the body, or drop them."""
        if self._is_kept and self.content.tell() <= settings.UPLOAD_MAX_BYTES:
            super().handleContentChunk(data)
            return
        self._dropped += len(data)
        if self._dropped > uploads.LINGER_BYTES:
            self.channel.forceAbortClient()


def bound() -> None:
    """Have daphne make such requests, from the next connection on."""
    http_protocol.WebRequest = BoundedRequest
