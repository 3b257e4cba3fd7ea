"""The places that a model finds in speech: asked in the strictest form that its endpoint knows.

Endpoints differ: the ladder goes from JSON by schema over any JSON to plain text, and the rung on
which an endpoint answered is remembered. An unreadable answer is sent back once to be put right; an
answer that had to stop is asked for again in two halves.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.conf import settings
from django.core.cache import cache

from analysis.adapters import chats
from analysis.adapters.chats import Answer, Endpoint, Question
from analysis.contracts import Extraction, Segment, StrategyInputs, VideoContext, Waiting
from analysis.extracting import answers, prompting
from analysis.extracting.answers import Spoken, UnreadableAnswerError
from analysis.failures import Deterministic, Transient

LADDER: Final = ("json_schema", "json_object", "text")
_REMEMBERED_S: Final = 24 * 3600
_SHOWN: Final = 4_000


def _never_stop() -> None:
    """Do nothing: nobody can ask this work to stop."""


class ModelExtractor:
    """Asks the model of a strategy."""

    def __init__(
        self,
        inputs: StrategyInputs,
        *,
        endpoint: Endpoint | None = None,
        check: Callable[[], None] = _never_stop,
    ) -> None:
        self._inputs = inputs
        self._endpoint = endpoint or configured()
        self._check = check
        self._prompt = prompting.load(inputs.extraction_prompt_v)

    def prepare(self, told: Waiting) -> None:
        """Do nothing: a model is there or is not."""

    def extract(self, chunk: Sequence[Segment], video: VideoContext) -> Extraction:
        """Return the chunk's mentions in the order spoken.

        Raises:
            Transient: as ``chats.ask``; also an answer that stays unreadable.
            Deterministic: as ``chats.ask``; ``llm_refusal``, ``llm_answer_too_long``.
        """
        talk = _Talk(self._endpoint, self._inputs, self._check)
        messages = self._prompt.messages(chunk, video)
        answer = talk.ask(messages)
        if answer.refusal:
            raise Deterministic(f"the model refuses: {answer.refusal[:200]}", code="llm_refusal")
        if answer.is_cut:
            return self._in_halves(chunk, video, talk)
        try:
            places = answers.read(answer.text)
        except UnreadableAnswerError as error:
            places = self._put_right(talk, messages, answer, error)
        return Extraction(answers.believed(places, chunk), talk.tokens_in, talk.tokens_out)

    def _put_right(
        self,
        talk: "_Talk",
        messages: Sequence[Mapping[str, str]],
        answer: Answer,
        wrong: UnreadableAnswerError,
    ) -> list[Spoken]:
        """Send an unreadable answer back, once."""
        again = talk.ask(
            [
                *messages,
                {"role": "assistant", "content": answer.text[:_SHOWN] or "(nothing)"},
                {"role": "user", "content": _complaint(wrong, messages)},
            ]
        )
        try:
            return answers.read(again.text)
        except UnreadableAnswerError as error:
            raise Transient(f"the model's answer stays unreadable: {error}") from error

    def _in_halves(
        self, chunk: Sequence[Segment], video: VideoContext, talk: "_Talk"
    ) -> Extraction:
        if len(chunk) == 1:
            raise Deterministic(
                "the model's answer to a single sentence is too long", code="llm_answer_too_long"
            )
        middle = len(chunk) // 2
        halves = [self.extract(part, video) for part in (chunk[:middle], chunk[middle:])]
        return Extraction(
            tuple(mention for half in halves for mention in half.mentions),
            talk.tokens_in + sum(half.tokens_in for half in halves),
            talk.tokens_out + sum(half.tokens_out for half in halves),
        )


class _Talk:
    """Requests about one chunk, on the rung that the endpoint knows; counts their tokens."""

    def __init__(
        self, endpoint: Endpoint, inputs: StrategyInputs, check: Callable[[], None]
    ) -> None:
        self._endpoint = endpoint
        self._inputs = inputs
        self._check = check
        self.tokens_in = self.tokens_out = 0

    def ask(self, messages: Sequence[Mapping[str, str]]) -> Answer:
        """Ask; where the endpoint does not know the form, one rung lower."""
        key = _memory(self._endpoint, self._inputs.model)
        first = _rung(cache.get(key))
        for number, form in enumerate(LADDER[first:], start=first):
            question = Question(
                self._inputs.model, self._inputs.model_temp, messages, _response_format(form)
            )
            try:
                answer = chats.ask(self._endpoint, question, check=self._check)
            except chats.UnknownFormatError:
                continue
            if number != first:
                cache.set(key, number, _REMEMBERED_S)
            self.tokens_in += answer.tokens_in
            self.tokens_out += answer.tokens_out
            return answer
        raise Deterministic("the endpoint knows no form of answer", code="llm_refused")


def configured() -> Endpoint:
    """Return the installation's endpoint.

    Raises:
        Deterministic: ``llm_not_configured``.
    """
    if not settings.LLM_BASE_URL:
        raise Deterministic(
            "the strategy wants a model, and LLM_BASE_URL is not set", code="llm_not_configured"
        )
    return Endpoint(settings.LLM_BASE_URL, settings.LLM_API_KEY, settings.LLM_TIMEOUT_S)


def _memory(endpoint: Endpoint, model: str) -> str:
    found = hashlib.sha256(f"{endpoint.base_url}|{model}".encode()).hexdigest()[:16]
    return f"analysis:llm_rung:{found}"


def _rung(kept: Any) -> int:
    return kept if isinstance(kept, int) and 0 <= kept < len(LADDER) else 0


def _response_format(form: str) -> dict[str, Any] | None:
    if form == "json_schema":
        named = {"name": "places", "strict": True, "schema": answers.schema()}
        return {"type": "json_schema", "json_schema": named}
    return {"type": "json_object"} if form == "json_object" else None


def _complaint(wrong: UnreadableAnswerError, messages: Sequence[Mapping[str, str]]) -> str:
    """Return what the model hears of its answer; the question again, since servers differ in memory."""
    return (
        f"That answer can't be read: {wrong}. Answer again, with the JSON object alone."
        f"\n\n{messages[-1]['content']}"
    )
