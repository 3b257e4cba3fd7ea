"""Reading tables: CSV under a heading, and the tables of HTML pages."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from html.parser import HTMLParser
from typing import Final

from proxies.parsing.records import HOST, PORT, WHOLE, plain_key

Row = dict[str, str]
_DELIMITERS: Final = ",;\t|"
_LIKE_ENDPOINT: Final = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}\s*:\s*\d|\w://\S+:\d")


def is_heading(cells: Sequence[str]) -> bool:
    """Say whether cells name columns of which a proxy can be made."""
    names = {plain_key(cell) for cell in cells}
    return bool((names & set(HOST) and names & set(PORT)) or (names & set(WHOLE)))


def heading_of(line: str) -> tuple[list[str], str] | None:
    """Return a CSV heading's names and delimiter; None where the line is no heading."""
    for delimiter in _DELIMITERS:
        cells = [cell.strip().strip('"') for cell in line.split(delimiter)]
        if len(cells) > 1 and is_heading(cells):
            return cells, delimiter
    return None


def csv_rows(lines: Iterable[str]) -> Iterator[tuple[int, Row]]:
    """Yield line number and row of a CSV; what stands before its heading is passed over."""
    numbered = enumerate(lines, 1)
    for _, line in numbered:
        if found := heading_of(line.strip("\ufeff\r\n ")):
            names, delimiter = found
            break
    else:
        return
    for number, line in numbered:
        cells = _cells(line, delimiter)
        if cells:
            yield number, dict(zip(names, cells, strict=False))


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        found = next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter), [])
    except csv.Error:
        found = line.rstrip("\r\n").split(delimiter)
    return [cell.strip() for cell in found] if any(cell.strip() for cell in found) else []


class _Tables(HTMLParser):
    """Collects the rows of all tables; what scripts would write isn't there."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[tuple[int, list[str]]] = []
        self.prose: list[tuple[int, str]] = []
        self._cell: list[str] | None = None
        self._row: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "style"}:
            self._hidden += 1
        elif tag == "tr":
            self._end_row()
        elif tag in {"td", "th"}:
            self._end_cell()
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._hidden = max(0, self._hidden - 1)
        elif tag in {"td", "th"}:
            self._end_cell()
        elif tag in {"tr", "table"}:
            self._end_row()

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if self._cell is not None:
            self._cell.append(data)
        elif _LIKE_ENDPOINT.search(data):
            first = self.getpos()[0]
            self.prose += [(first + at, line) for at, line in enumerate(data.splitlines())]

    def _end_cell(self) -> None:
        if self._cell is not None:
            self._row.append(re.sub(r"\s+", " ", "".join(self._cell)).strip())
            self._cell = None

    def _end_row(self) -> None:
        self._end_cell()
        if self._row:
            self.rows.append((self.getpos()[0], self._row))
            self._row = []


def html_rows(lines: Iterable[str]) -> Iterator[tuple[int, Row | str]]:
    """Yield line number and row of the tables of a page; rows without a heading as text."""
    parser = _Tables()
    names: list[str] | None = None
    for line in lines:
        parser.feed(line)
        for number, cells in parser.rows:
            if is_heading(cells):
                names = cells
            elif names is not None:
                yield number, _named(names, cells)
            else:
                yield number, " ".join(cells)
        parser.rows.clear()
        if names is None:  # beside a real table, the page's own words are no list
            yield from ((at, text) for at, text in parser.prose if _LIKE_ENDPOINT.search(text))
        parser.prose.clear()


def _named(names: list[str], cells: list[str]) -> Row:
    """Return a row by names; a column that says whether TLS works makes it an HTTPS proxy."""
    row = dict(zip(names, cells, strict=False))
    known = {plain_key(name): value.lower() for name, value in row.items()}
    if "https" in known and not known.keys() & {"protocol", "protocols", "type"}:
        row["protocol"] = "https" if known["https"] in {"yes", "true", "+"} else "http"
    return row
