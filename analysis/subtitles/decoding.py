"""Which encoding a transcript is in."""

import codecs
import unicodedata
from typing import Final

import charset_normalizer

from analysis.failures import Deterministic

UNREADABLE: Final = "unreadable_transcript"
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like UTF-16's, so it is looked for first
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: What old subtitle files are written in; the guess is among these alone.
_GUESSED: Final = (
    "big5", "gb18030", "cp932", "euc_jp", "euc_kr", "cp1251", "cp1253", "cp1250", "cp1252",
)  # fmt: skip
_KANA: Final = frozenset(map(chr, range(0x3041, 0x30FF)))
#: The commonest signs of the languages written in them: short texts fit several encodings.
_COMMON: Final = {
    "big5": frozenset("的一是不了在人有我他這們來到去很就都吃天個上也後台北"),
    "gb18030": frozenset("的一是不了在人有我他这们来到去很就都吃天个上也后北京"),
    "cp932": _KANA,
    "euc_jp": _KANA,
    "euc_kr": frozenset("이다는에가을를의은고하지서한도로기사우리오그"),
}
_WESTERN: Final = frozenset("\u2018\u2019\u201c\u201d\u2013\u2014…«»¿¡°€£ºª·•\u00a0\u00ad")
#: So much is looked at for a guess, from the first byte that isn't ASCII on.
_SAMPLE: Final = 8_192
#: More control characters than this part of a text, and it is no text.
_MOST_CONTROLS: Final = 0.02
_WHITE: Final = frozenset("\t\n\r\f\v")
_ZERO_WIDTH: Final = dict.fromkeys(map(ord, "\u200b\u200c\u2060\ufeff\u200e\u200f"))


def decode(data: bytes) -> tuple[str, list[str]]:
    """Return the text with line ends of one kind, and what has to be said of its encoding.

    Raises:
        Deterministic: the bytes are no text.
    """
    text, remarks = _decoded(data)
    lines = text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
    plain = unicodedata.normalize("NFC", lines).translate(_ZERO_WIDTH)
    controls = sum(
        unicodedata.category(char) in {"Cc", "Co", "Cn"} and char not in _WHITE for char in plain
    )
    if controls > len(plain) * _MOST_CONTROLS:
        raise Deterministic("the file is no text", code=UNREADABLE)
    return plain, remarks


def _decoded(data: bytes) -> tuple[str, list[str]]:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _mended(data, encoding)
    wide = _wide(data)
    if wide:
        return _mended(data, wide)
    try:
        return data.decode("utf-8"), []
    except UnicodeDecodeError:
        return _mended(data, _guess(data))


def _wide(data: bytes) -> str:
    """Return which UTF-16 the bytes are in that have no mark; empty where they aren't."""
    sample = data[:_SAMPLE]
    if len(sample) < 4 or b"\0" not in sample:  # noqa: PLR2004 -- two characters
        return ""
    if sample[1::2].count(0) > len(sample) / 5:
        return "utf-16-le"
    return "utf-16-be" if sample[::2].count(0) > len(sample) / 5 else ""


def _mended(data: bytes, encoding: str) -> tuple[str, list[str]]:
    try:
        return data.decode(encoding), []
    except UnicodeDecodeError as error:
        text = data.decode(encoding, errors="replace")
        remark = f"not all bytes are {encoding}: the first that isn't is number {error.start + 1}"
        return text, [remark]


def _guess(data: bytes) -> str:
    """Return the likeliest of the old encodings.

    Raises:
        Deterministic: none of them makes a text of the bytes.
    """
    if b"\0" in data[:_SAMPLE]:
        raise Deterministic("the file is no text", code=UNREADABLE)
    sample = _telling(data)
    found = charset_normalizer.from_bytes(sample, cp_isolation=list(_GUESSED)).best()
    if found is None:
        raise Deterministic("the encoding of the file can't be told", code=UNREADABLE)
    if found.encoding == "cp1250" and _is_western(sample):
        return "cp1252"
    return _likeliest(sample) if found.encoding in _COMMON else found.encoding


def _is_western(sample: bytes) -> bool:
    """Say whether all beyond ASCII are letters and quotes in cp1252: Polish and Czech aren't."""
    text = sample.decode("cp1252", errors="replace")
    return all(char.isascii() or char.isalpha() or char in _WESTERN for char in text)


def _likeliest(sample: bytes) -> str:
    """Return the East Asian encoding in which most of the language's commonest signs appear."""

    def part(encoding: str) -> float:
        text = sample.decode(encoding, errors="replace")
        wide = [char for char in text if char > "\u2e80"]
        wrong = text.count("\ufffd")
        return (sum(char in _COMMON[encoding] for char in wide) - wrong) / max(1, len(wide))

    return max(_COMMON, key=part)


def _telling(data: bytes) -> bytes:
    """Return whole lines that have bytes beyond ASCII: only they tell encodings apart."""
    lines = [line for line in data.split(b"\n") if not line.isascii()]
    return b"\n".join(lines)[:_SAMPLE].rpartition(b"\n")[0] or b"\n".join(lines)[:_SAMPLE]
