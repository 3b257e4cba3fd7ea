"""Asking a model at an OpenAI-compatible endpoint: one request, its answer or what went wrong."""

import contextvars
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from queue import Empty, Queue
from typing import Any, Final, cast

import httpx2
import openai
from django.utils import timezone

from analysis.failures import Deterministic, Transient, is_passing
from project.core import moments, tracing

_POLL_S: Final = 0.2
_SHOWN: Final = 300
#: Larger answers are not read: the places of one piece of speech are a hundredth of it.
MOST_BYTES: Final = 4 * 1024 * 1024


class UnknownFormatError(Exception):
    """The endpoint does not know the form in which the answer was wanted."""


class TooLargeError(Exception):
    """The answer is larger than any that could be meant."""


class _Bounded(httpx2.SyncByteStream):
    """The body of an answer, which must come within its time and size, however it comes.

    The time-outs of the client are those of single reads: a server that sends a blank now and then
    would hold it for ever.
    """

    def __init__(self, stream: httpx2.SyncByteStream, *, within_s: float) -> None:
        self._stream = stream
        self._until_s = time.monotonic() + within_s

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for part in self._stream:
            size += len(part)
            if size > MOST_BYTES:
                raise TooLargeError
            if time.monotonic() > self._until_s:
                raise httpx2.ReadTimeout("the answer takes too long as a whole")
            yield part

    def close(self) -> None:
        self._stream.close()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is asked; ``key`` is never shown."""

    base_url: str
    key: str
    timeout_s: float

    def __repr__(self) -> str:
        return f"Endpoint({self.base_url})"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said; ``is_cut`` where it had to stop before the end."""

    text: str
    tokens_in: int
    tokens_out: int
    is_cut: bool = False
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One request: model, temperature, messages, and the form of the answer."""

    model: str
    temperature: float
    messages: Sequence[Mapping[str, str]]
    response_format: Mapping[str, Any] | None = None


def _never_stop() -> None:
    """Do nothing: nobody can ask this work to stop."""


def ask(
    endpoint: Endpoint, question: Question, *, check: Callable[[], None] = _never_stop
) -> Answer:
    """Ask once; nothing is tried again here.

    Args:
        endpoint: whom.
        question: what.
        check: called several times a second while the answer is awaited; what it raises passes
            at once, and the answer is not awaited any longer.

    Raises:
        UnknownFormatError: the response format is not supported.
        Transient: time-out, broken connection, 408, 409, 425, 429, 5xx, an answer without content.
        Deterministic: ``llm_key_refused``, ``llm_unknown_model``, ``llm_too_long``, ``llm_refused``.
    """
    done: Queue[Answer | Exception] = Queue(maxsize=1)

    def work() -> None:
        try:
            done.put(_asked(endpoint, question))
        except Exception as error:  # noqa: BLE001 -- raised again where it is awaited
            done.put(error)

    context = contextvars.copy_context()  # its log lines and spans belong to this work
    threading.Thread(target=context.run, args=(work,), name="chat", daemon=True).start()
    while True:
        check()
        try:
            found = done.get(timeout=_POLL_S)
        except Empty:
            continue
        if isinstance(found, Exception):
            raise found
        return found


@lru_cache(maxsize=8)
def _client(endpoint: Endpoint) -> "openai.OpenAI":
    import openai  # noqa: PLC0415 -- a second and 54 MB, for processes that ask a model alone

    def bound(response: httpx2.Response) -> None:
        stream = cast(httpx2.SyncByteStream, response.stream)
        response.stream = _Bounded(stream, within_s=endpoint.timeout_s)

    return openai.OpenAI(
        base_url=endpoint.base_url,
        api_key=endpoint.key or "none",
        timeout=endpoint.timeout_s,
        max_retries=0,
        http_client=openai.DefaultHttpxClient(event_hooks={"response": [bound]}),
    )


def _asked(endpoint: Endpoint, question: Question) -> Answer:
    import openai  # noqa: PLC0415 -- see _client

    form = {} if question.response_format is None else {"response_format": question.response_format}
    try:
        with tracing.span("outside.llm", gen_ai__request__model=question.model):
            told = _client(endpoint).chat.completions.create(
                model=question.model,
                temperature=question.temperature,
                messages=cast(Any, list(question.messages)),
                **cast(Any, form),
            )
    except openai.APIStatusError as error:
        raise _of_status(error, has_format=bool(form)) from error
    except openai.APITimeoutError as error:
        raise Transient(f"the model took longer than {endpoint.timeout_s:g} s") from error
    except openai.APIConnectionError as error:
        raise Transient("the model's endpoint is not reached") from error
    except TooLargeError as error:
        raise Transient(f"the model's answer is larger than {MOST_BYTES >> 20} MiB") from error
    except (openai.OpenAIError, ValueError, TypeError) as error:
        raise Transient(f"unreadable answer of the model: {type(error).__name__}") from error
    return _understood(told)


def _understood(told: Any) -> Answer:
    choices = getattr(told, "choices", None)
    if not choices or getattr(choices[0], "message", None) is None:
        raise Transient("the model answered nothing")
    usage, choice = getattr(told, "usage", None), choices[0]
    return Answer(
        text=choice.message.content or "",
        tokens_in=int(getattr(usage, "prompt_tokens", 0) or 0),
        tokens_out=int(getattr(usage, "completion_tokens", 0) or 0),
        is_cut=choice.finish_reason == "length",
        refusal=str(getattr(choice.message, "refusal", None) or "")
        or ("the content filter" if choice.finish_reason == "content_filter" else ""),
    )


def _of_status(error: "openai.APIStatusError", *, has_format: bool) -> Exception:
    status, words = error.status_code, shown(error)
    if is_passing(status) or status == 409:  # noqa: PLR2004 -- a conflict, as the SDK sees it, too
        wait_s = moments.wait_s(error.response.headers.get("retry-after", ""), now=timezone.now())
        return Transient(f"the model's endpoint answers {status}: {words}", retry_after=wait_s)
    lower = words.lower()
    if has_format and ("response_format" in lower or "json_schema" in lower or "schema" in lower):
        return UnknownFormatError(words)
    if "context" in lower and ("length" in lower or "window" in lower):
        return Deterministic(words, code="llm_too_long")
    codes = {401: "llm_key_refused", 403: "llm_key_refused", 404: "llm_unknown_model"}
    return Deterministic(
        f"the model's endpoint answers {status}: {words}", code=codes.get(status, "llm_refused")
    )


def shown(error: "openai.APIStatusError") -> str:
    """Return what the endpoint says of a failure: short, on one line."""
    body = error.body
    told = body.get("message") if isinstance(body, Mapping) else None
    return " ".join(str(told or error.message).split())[:_SHOWN]
