"""How the model's endpoint answers: ``/v1/chat/completions`` as OpenAI writes it down.

It is no model: it finds the names of ``gazetteer.py`` in the last message, and answers them as JSON.
"""

import asyncio
import json
import re
import threading
from collections import deque
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final

from aiohttp import web

from project.sandbox import control
from project.sandbox.faults import Facts, Fault
from project.sandbox.gazetteer import SPOTS
from project.sandbox.serving import HttpServer, PlainBehaviour

MODEL: Final = "sandbox-1"
FORMATS: Final = ("json_schema", "json_object", "text")
_LETTERS_PER_TOKEN: Final = 4
#: How large an enormous answer is; how slowly one drips, and how long at most.
_ENORMOUS_BYTES: Final = 24 * 1024 * 1024
_DRIP_EVERY_S: Final = 0.05
_DRIPS: Final = 1200


class Odd(StrEnum):
    """Ways in which one answer can be wrong that is 200 all the same."""

    TRUNCATED = "truncated"
    INVALID_JSON = "invalid_json"
    WRONG_SHAPE = "wrong_shape"
    REFUSAL = "refusal"
    EMPTY = "empty"
    NO_CHOICES = "no_choices"
    FENCED = "fenced"
    INVENTED = "invented"
    PROSE = "prose"
    WRONG_TYPES = "wrong_types"
    DUPLICATE_KEYS = "duplicate_keys"
    ENORMOUS = "enormous"
    DRIP = "drip"


class _Behaviour(PlainBehaviour):
    """Refuses as OpenAI does: JSON with an error inside."""

    def refuse(self, fault: Fault, facts: Facts) -> web.Response:
        """Answer with the status of a fault."""
        _ = facts
        response = _error(fault.status, fault.code or "sandbox", "as the fault says")
        if fault.retry_after_s is not None:
            response.headers["Retry-After"] = str(fault.retry_after_s)
        return response


class ModelServer(HttpServer):
    """Answers chats; formats that it does not know, and odd answers, can be set."""

    def __init__(self) -> None:
        super().__init__(behaviour=_Behaviour())
        self._lock = threading.Lock()
        self._formats: tuple[str, ...] = FORMATS
        self._odd: deque[Odd] = deque()
        self._asked: deque[dict[str, Any]] = deque(maxlen=1000)
        self.app.add_routes(
            [
                web.post("/v1/chat/completions", self.complete),
                web.get("/v1/models", self.list_models),
                web.post("/_control/model", self._change),
                *control.routes(self.faults, self.log),
            ]
        )

    @property
    def base_url(self) -> str:
        """Address for a client of OpenAI's."""
        return f"{self.url}/v1"

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The bodies of the last requests, oldest first."""
        with self._lock:
            return list(self._asked)

    def know(self, formats: Iterable[str] = FORMATS) -> None:
        """Know only these response formats; other requests answer 400."""
        with self._lock:
            self._formats = tuple(formats)

    def answer_oddly(self, *kinds: Odd) -> None:
        """Answer the next requests so, one each, then rightly."""
        with self._lock:
            self._odd.extend(kinds)

    def reset(self) -> None:
        """Forget what was asked and set."""
        with self._lock:
            self._formats = FORMATS
            self._odd.clear()
            self._asked.clear()
        self.faults.clear()
        self.log.clear()

    async def list_models(self, _request: web.Request) -> web.Response:
        """Answer the one model."""
        models = [{"id": MODEL, "object": "model", "owned_by": "sandbox"}]
        return web.json_response({"object": "list", "data": models})

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """Answer one chat."""
        try:
            body = await request.json()
            messages = [str(each["content"]) for each in body["messages"]]
        except (ValueError, KeyError, TypeError):
            return _error(400, "invalid_request_error", "messages are missing")
        with self._lock:
            self._asked.append(body)
            formats = self._formats
        asked = (body.get("response_format") or {"type": "text"})["type"]
        if asked not in formats:
            return _error(
                400,
                "invalid_request_error",
                f"response_format {asked} is not supported",
                param="response_format",
            )
        with self._lock:
            odd = self._odd.popleft() if self._odd else None
        if odd is Odd.DRIP:
            return await _dripping(request)
        said = _said(messages[-1], asked, odd)
        return web.json_response(_completion(body, messages, said, odd))

    async def _change(self, request: web.Request) -> web.Response:
        body = await control.body_of(request)
        if "formats" in body:
            self.know(control.read(lambda: _words(body["formats"])))
        odd = control.read(lambda: [Odd(each) for each in _words(body.get("odd", []))])
        self.answer_oddly(*odd)
        return web.Response(status=204)


async def _dripping(request: web.Request) -> web.StreamResponse:
    """Send blanks, which JSON may begin with, as if the answer were about to come."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for _ in range(_DRIPS):
        try:
            await response.write(b" ")
        except ConnectionError:
            break  # the client has given up
        await asyncio.sleep(_DRIP_EVERY_S)
    return response


def _words(told: object) -> list[str]:
    if not isinstance(told, list):
        raise TypeError("a list of words is wanted")
    return [str(each) for each in told]


def _said(text: str, asked: str, odd: Odd | None) -> str:
    """Return what the model says to a message."""
    places = _places(text)
    if odd is Odd.INVENTED:
        places.append({**places[0], "name": "Atlantis", "quote": "we never were in Atlantis"})
    right = json.dumps({"places": places}, ensure_ascii=False)
    if asked == "text" or odd is Odd.FENCED:
        right = f"Here are the places:\n```json\n{right}\n```\nHave a nice trip!"
    wrong = {
        Odd.TRUNCATED: right[: len(right) // 2],
        Odd.INVALID_JSON: right.replace('"', "'").replace(":", "=", 1),
        Odd.WRONG_SHAPE: '{"answer": 42}',
        Odd.REFUSAL: "",
        Odd.EMPTY: "",
        Odd.PROSE: f"Sure {{as you asked}}, there are {len(places)} places: {right} Bon voyage {{!}}",
        Odd.WRONG_TYPES: '{"places": [{"name": 7, "quote": ["x"], "tags": "city"}, "Taipei", null]}',
        Odd.DUPLICATE_KEYS: right.replace('{"places"', '{"places": [], "places"', 1),
        Odd.ENORMOUS: right + " " * _ENORMOUS_BYTES,
    }
    return wrong.get(odd, right) if odd else right


def _places(text: str) -> list[dict[str, object]]:
    """Return the known places that a text names, in the order of their names' first mention."""
    found: list[tuple[int, dict[str, object]]] = []
    for spot in SPOTS:
        for name in spot.names:
            at = re.search(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])", text, re.IGNORECASE)
            if at is None:
                continue
            line = text[text.rfind("\n", 0, at.start()) + 1 :].partition("\n")[0]
            quote = re.sub(r"^\[?\d[\d:.,]*\]?\s*", "", line)
            place: dict[str, object] = {
                "name": at[0],
                "quote": quote,
                "description": f"{spot.name}, as the video tells",
                "tags": [spot.kind],
                "country": spot.country.upper(),
            }
            found.append((at.start(), place))
            break
    return [place for _, place in sorted(found, key=lambda each: each[0])]


def _completion(
    body: dict[str, Any], messages: list[str], said: str, odd: Odd | None
) -> dict[str, Any]:
    tokens_in = sum(map(len, messages)) // _LETTERS_PER_TOKEN + 1
    tokens_out = len(said) // _LETTERS_PER_TOKEN + 1
    message: dict[str, Any] = {"role": "assistant", "content": said, "refusal": None}
    if odd is Odd.REFUSAL:
        message |= {"content": None, "refusal": "I can't help with that."}
    finish = "length" if odd is Odd.TRUNCATED else "stop"
    choices = [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}]
    return {
        "id": "chatcmpl-sandbox",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": body.get("model", MODEL),
        "choices": [] if odd is Odd.NO_CHOICES else choices,
        "usage": {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
        },
    }


def _error(status: int, kind: str, words: str, *, param: str | None = None) -> web.Response:
    error = {"message": words, "type": kind, "param": param, "code": None}
    return web.json_response({"error": error}, status=status)
