"""``manage.py evaluate_places FOLDER``: how well places are found and located, over labelled text."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analysis.evaluating import corpora, reporting
from analysis.evaluating.corpora import Corpus
from analysis.failures import Transient
from analysis.gazetteer import keeping
from analysis.gazetteer.library import Gazetteer


class Command(BaseCommand):
    """Measure the offline extractor and geocoder, beside a plain look-up, in one run."""

    help = "Print precision, recall, F1 and distances over the labelled files of a folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--json", type=Path, help="write the report there too; - prints it alone"
        )
        parser.add_argument(
            "--part",
            choices=("all", "odd", "even"),
            default="all",
            help="every second text: the weights were fitted over the odd ones of TR-News",
        )
        parser.add_argument(
            "--at-least", type=float, default=0.0, help="fail where F1 over speech is lower"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder")
        try:
            gazetteer = Gazetteer(keeping.ensure(self._tell))
        except Transient as error:
            raise CommandError(str(error)) from error
        reports, alone = {}, str(options["json"] or "") == "-"
        for one in corpora.read_folder(folder):
            if not isinstance(one, Corpus):
                self.stderr.write(f"{one[0]} left out: {one[1]}")
                continue
            one.documents = _part(one, options["part"])
            reports[one.name] = reporting.of_corpus(one, gazetteer)
            if not alone:
                self.stdout.write("\n".join([*reporting.lines(one.name, reports[one.name]), ""]))
        if not reports:
            raise CommandError(
                f"{folder} holds no labelled text (XML, JSON or CSV, docs/places.md)"
            )
        self._write(options["json"], {"part": options["part"], "corpora": reports})
        _require(reports, options["at_least"])

    def _tell(self, step: str, ratio: float) -> None:
        self.stderr.write(f"compiling the gazetteer: {ratio:.0%} {step}")

    def _write(self, target: Path | None, report: dict[str, Any]) -> None:
        if target is None:
            return
        text = json.dumps(report, indent=2)
        if str(target) == "-":
            self.stdout.write(text)
        else:
            target.write_text(text + "\n", encoding="utf-8")


def _part(corpus: Corpus, part: str) -> list[corpora.Document]:
    if part == "all":
        return corpus.documents
    wanted = 1 if part == "odd" else 0
    return [one for at, one in enumerate(corpus.documents, 1) if at % 2 == wanted]


def _require(reports: dict[str, Any], at_least: float) -> None:
    for name, report in reports.items():
        if "recognition" not in report:
            continue
        found = report["recognition"]["speech"]["names"]["ours"]["f1"]
        if found < at_least:
            raise CommandError(f"{name}: F1 {found} over speech is below {at_least}")
