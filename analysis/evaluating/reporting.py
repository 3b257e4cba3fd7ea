"""What an evaluation tells: per corpus and language, ours beside the plain look-up."""

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from analysis.evaluating import measuring
from analysis.evaluating.corpora import Corpus, Document
from analysis.evaluating.measuring import Counts, Distances
from analysis.gazetteer.library import Gazetteer

_FINDERS: Final = {"ours": measuring.found_by_ours, "lookup": measuring.found_by_baseline}
Report = dict[str, Any]


def of_documents(documents: Sequence[Document], gazetteer: Gazetteer) -> Report:
    """Return the figures of one set of documents.

    Recognition: ``cased`` (as written), ``speech`` (lower case, no stops), each for ``ours`` and
    ``lookup``, over all labels and over names alone (words for peoples left out).
    Resolution: where the labels are, for both.
    """
    started = time.monotonic()
    counts: dict[tuple[str, str, str], Counts] = defaultdict(Counts)
    for document in documents:
        for form, text in (
            ("cased", document.text),
            ("speech", measuring.as_speech(document.text)),
        ):
            for who, find in _FINDERS.items():
                found = find(text, document, gazetteer)
                for labels, peoples in (("all", True), ("names", False)):
                    counts[form, labels, who].add(measuring.count(found, document, peoples=peoples))
    recognition: Report = defaultdict(lambda: defaultdict(dict))
    for (form, labels, who), counted in counts.items():
        recognition[form][labels][who] = counted.figures()
    resolution = {}
    for who, plain in (("ours", False), ("lookup", True)):
        apart = Distances()
        for document in documents:
            apart.apart += measuring.distances(document, gazetteer, plain=plain).apart
        resolution[who] = apart.figures()
    return {
        "documents": len(documents),
        "labels": sum(len(one.labels) + one.lost for one in documents),
        "labels_lost": sum(one.lost for one in documents),
        "characters": sum(len(one.text) for one in documents),
        "seconds": round(time.monotonic() - started, 2),
        "recognition": recognition,
        "resolution": resolution,
    }


def of_corpus(corpus: Corpus, gazetteer: Gazetteer) -> Report:
    """Return the figures of a corpus, whole and by language where it has several."""
    if corpus.features:
        return {"places": len(corpus.features), "coverage": measuring.coverage(corpus, gazetteer)}
    report = of_documents(corpus.documents, gazetteer)
    languages = sorted({document.language for document in corpus.documents})
    report["languages"] = languages
    if len(languages) > 1:
        report["by_language"] = {
            language: of_documents(
                [one for one in corpus.documents if one.language == language], gazetteer
            )
            for language in languages
        }
    return report


def lines(name: str, report: Report) -> list[str]:
    """Return a report as lines of text."""
    if "coverage" in report:
        figures = report["coverage"]
        return [
            f"{name}: {report['places']:,} named places, {figures['located']:,} known by name",
            (
                f"  within 161 km {figures['within_161_km']:.3f} of all, "
                f"{figures['within_161_km_of_located']:.3f} of those known; "
                f"median {figures['median_km']} km"
            ),
        ]
    told = [
        (
            f"{name}: {report['documents']:,} texts, {report['labels']:,} labels "
            f"({report['labels_lost']} not in their text), {report['seconds']} s"
        ),
    ]
    heading = f"  {'':<40}{'precision':>7}{'recall':>8}{'F1':>7}{'exact':>7}"
    told.append(heading)
    for form, form_name in (("cased", "as written"), ("speech", "lower case, no stops")):
        for labels in ("all", "names"):
            for who in _FINDERS:
                figures = report["recognition"][form][labels][who]
                what = f"{form_name}, {'all labels' if labels == 'all' else 'names alone'}, {who}"
                told.append(
                    f"  {what:<42}{figures['precision']:>.3f}{figures['recall']:>8.3f}"
                    f"{figures['f1']:>7.3f}{figures['f1_exact']:>7.3f}"
                )
            margin = (
                report["recognition"][form][labels]["ours"]["f1"]
                - report["recognition"][form][labels]["lookup"]["f1"]
            )
            told.append(f"  {'':<42}margin over the look-up {margin:+.3f}")
    for who, figures in report["resolution"].items():
        told.append(
            f"  located, {who}: {figures['located']:,} of {figures['labels']:,}; within 161 km "
            f"{figures['within_161_km']:.3f} of all, {figures['within_161_km_of_located']:.3f} of "
            f"those; median {figures['median_km']} km, mean {figures['mean_km']} km"
        )
    for language, part in report.get("by_language", {}).items():
        told += ["", *lines(f"{name} ({language})", part)]
    return told
