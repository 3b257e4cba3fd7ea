"""The phases of a job before the map: the speech, what of it is kept, the places that it names."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

from analysis import checkpoints, compressing, extracting, metrics, subtitles, values
from analysis.adapters import videos
from analysis.attempts import Attempt
from analysis.choices import Phase, VideoKind
from analysis.contracts import Extraction, Mention, Segment, VideoContext
from analysis.correcting import fold
from analysis.failures import Deterministic
from analysis.models import Analysis, Video

#: How many steps the first phase has: found out what there is, read it, kept it.
_STEPS = 3


@dataclass(frozen=True, slots=True)
class Speech:
    """What is said in a video and what is known of it; ``key`` says from which inputs."""

    context: VideoContext
    segments: list[Segment]
    key: str


def metadata(attempt: Attempt) -> Speech:
    """Return the speech of the video: from its site, or from the transcript that was uploaded.

    Raises:
        Deterministic: there is none to be had.
        Transient: the site can't be asked now.
    """
    video, language = attempt.video, attempt.inputs.get("language", "")
    key = checkpoints.key_of(Phase.METADATA, video.kind, video.video_id, language)
    kept = checkpoints.once(attempt, Phase.METADATA, key, lambda: _listen(attempt, language))
    context = values.video(kept["video"])
    return Speech(context, values.segments(kept["segments"]), key)


def _listen(attempt: Attempt, language: str) -> dict[str, Any]:
    video = attempt.video
    if video.kind == VideoKind.UPLOAD:
        found = attempt.aside.call(lambda: _read(video, language))
    else:
        found = _fetch(attempt, language)
    context, segments, facts = found
    attempt.report(Phase.METADATA, 1, _STEPS)
    if not segments:
        raise Deterministic("nothing is said in it", code="no_subtitles")
    told = values.of_video(replace(context, video_id=video.video_id))
    kept = {
        "video": told,
        "segments": values.of_segments(segments),
        "facts": values.facts(facts),
    }
    attempt.report(Phase.METADATA, 2, _STEPS, segments=len(segments))
    with attempt.held():
        Video.objects.filter(pk=video.pk).update(
            title=told["title"][:500],
            description=told["description"],
            tags=told["tags"],
            language=told["language"][:20],
            duration_ms=told["duration_ms"] or segments[-1].end_ms,
            facts=kept["facts"],
        )
    return kept


def _read(video: Video, language: str) -> tuple[VideoContext, list[Segment], dict[str, Any]]:
    segments, remarks = subtitles.parse(bytes(video.upload or b""), name=video.file_name)
    context = VideoContext(video.video_id, title=video.file_name, language=language)
    return context, segments, {"remarks": remarks}


def _fetch(attempt: Attempt, language: str) -> tuple[VideoContext, list[Segment], dict[str, Any]]:
    return videos.fetch_video(
        attempt.video.url,
        languages=[language] if language else [],
        egress=settings.VIDEO_EGRESS,
        check=attempt.work.check,
    )


def compression(attempt: Attempt, speech: Speech) -> tuple[list[Segment], str]:
    """Return the sentences that are kept, and the key of that result."""
    ratio = attempt.strategy.compression_ratio
    if len(compressing.chunks(speech.segments)) <= 1:
        ratio = 1.0  # one question to the extractor holds it all: nothing is saved, only lost
    key = checkpoints.key_of(Phase.COMPRESSION, speech.key, ratio)

    def heard(done: int, total: int) -> None:
        attempt.report(Phase.COMPRESSION, done, total)

    def make() -> list[list[Any]]:
        language = speech.context.language
        kept = compressing.compress(
            speech.segments, ratio=ratio, language=language, on_progress=heard
        )
        return values.of_segments(kept)

    kept = checkpoints.once(attempt, Phase.COMPRESSION, key, make)
    return values.segments(kept), key


def summary(attempt: Attempt, speech: Speech, kept: Sequence[Segment], key: str) -> list[Mention]:
    """Return the places that the kept sentences name, each once, with the cue that names it.

    Each chunk's answer is kept as soon as it is there: tokens are paid for once.
    """
    strategy = attempt.strategy
    inputs = (strategy.model, strategy.model_temp, strategy.extraction_prompt_v)
    key = checkpoints.key_of(Phase.SUMMARY, key, *inputs)
    chunks = compressing.chunks(kept)
    attempt.work.report(counts={"segments": len(speech.segments), "chunks": len(chunks)})
    found = checkpoints.once(
        attempt, Phase.SUMMARY, key, lambda: _summarised(attempt, speech, chunks, key)
    )
    with attempt.held():
        mine = Analysis.objects.filter(pk=attempt.analysis.pk)
        mine.update(
            segments=len(speech.segments),
            chunks=len(chunks),
            tokens_in=found["tokens_in"],
            tokens_out=found["tokens_out"],
        )
    mentions = [values.mention(one) for one in found["mentions"]]
    return [compressing.at_cue(one, speech.segments) for one in mentions]


def _summarised(
    attempt: Attempt, speech: Speech, chunks: Sequence[Sequence[Segment]], key: str
) -> dict[str, Any]:
    extractor = extracting.extractor_for(attempt.strategy)
    attempt.wait_for(extractor)
    known = checkpoints.parts(attempt.video, Phase.SUMMARY, key)
    answers: list[dict[str, Any]] = []
    for number, chunk in enumerate(chunks, 1):
        attempt.report(Phase.SUMMARY, number - 1, len(chunks))
        answer = known.get(number)
        if answer is None:
            began_s = time.monotonic()
            answer = _kept(
                attempt.aside.call(lambda chunk=chunk: extractor.extract(chunk, speech.context))  # type: ignore[misc]  # a chunk bound at once
            )
            _count(answer, attempt.strategy.model)
            took_s = time.monotonic() - began_s
            checkpoints.keep(attempt, Phase.SUMMARY, key, answer, part=number, took_s=took_s)
            attempt.log("chunk_summarised", Phase.SUMMARY, chunk=number, chunks=len(chunks))
        answers.append(answer)
    return {
        "mentions": unique([one for answer in answers for one in answer["mentions"]]),
        "tokens_in": sum(answer["tokens_in"] for answer in answers),
        "tokens_out": sum(answer["tokens_out"] for answer in answers),
    }


def _kept(extraction: Extraction) -> dict[str, Any]:
    return {
        "mentions": [values.of_mention(one) for one in extraction.mentions],
        "tokens_in": extraction.tokens_in,
        "tokens_out": extraction.tokens_out,
    }


def _count(answer: dict[str, Any], model: str) -> None:
    for direction in ("in", "out"):
        if spent := answer[f"tokens_{direction}"]:
            metrics.TOKENS.labels(direction, model).inc(spent)


def unique(mentions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return mentions in the order spoken, each name once.

    The first time a place is named is the one that the map shows; the longest description and all
    tags are kept, whichever mention they came with.
    """
    found: dict[str, dict[str, Any]] = {}
    for one in sorted(mentions, key=lambda each: each["start_ms"]):
        name = fold(one["raw"])
        if not name:
            continue
        first = found.setdefault(name, dict(one))
        if len(one["description"]) > len(first["description"]):
            first["description"] = one["description"]
        first["tags"] = list(dict.fromkeys([*first["tags"], *one["tags"]]))
        first["country"] = first["country"] or one["country"]
    return list(found.values())
