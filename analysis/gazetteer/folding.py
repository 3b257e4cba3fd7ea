"""Decides when two spellings are one name: case, accents, widths, Chinese scripts, saints."""

import gzip
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

import msgpack

#: Letters that Unicode does not take apart.
_STROKES: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ħ": "h"}
)
#: Japanese simplified characters, as simplified in China: one key for all three scripts.
_SHINJITAI: Final = dict(
    zip(
        "広沢渋桜竜滝関浜栄県蔵満黒緑円図駅権観薬糸経続総斎済実宝処両単厳悪戸戦拝掲撃歓歩気沖涙浅焼犠猟発県砕禅穂穀竃粋絵縄縦聴舎芸荘蔭覚訳証読豊転軽辺逓遅鉄銭鉱録陥険隣随霊頼顕騒験鶏麦黄塩亀仏仮価児兵勧勲",
        "广泽涩樱龙泷关滨荣县藏满黑绿圆图驿权观药丝经续总斋济实宝处两单严恶户战拜揭击欢步气冲泪浅烧牺猎发县碎禅穗谷灶粹绘绳纵听舍艺庄荫觉译证读丰转轻边递迟铁钱矿录陷险邻随灵赖显骚验鸡麦黄盐龟佛假价儿兵劝勋",
        strict=True,
    )
)
_COMBINING: Final = re.compile("[̀-ͯ]")
_APOSTROPHES: Final = "'’ʼ‘`ʻ´"
_CJK_CLASS: Final = "㐀-䶿一-鿿豈-﫿々ぁ-ゖァ-ヺー㇀-㇯\U00020000-\U0003134f"
CJK: Final = re.compile(f"[{_CJK_CLASS}]")
CJK_RUN: Final = re.compile(f"[{_CJK_CLASS}]+")
_WORD: Final = re.compile(
    rf"(?:(?![{_CJK_CLASS}])[^\W_])[̀-ͯ]*"
    rf"(?:(?:(?![{_CJK_CLASS}])[^\W_])|[̀-ͯ]|[{_APOSTROPHES}](?=[^\W_]))*"
)
_POSSESSIVE: Final = re.compile(rf"[{_APOSTROPHES}][sS]$")
#: Written short in front of a name.
_SHORT: Final = {"st": "saint", "ste": "sainte", "mt": "mount", "ft": "fort", "mtn": "mountain"}
#: What Chinese and Japanese put behind the name of an administrative unit.
_UNITS: Final = "市县区乡镇村町省州府都郡"
_NO_UNIT: Final = frozenset({"京都", "成都", "首都"})


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: its place there, and the key it is looked up by."""

    text: str
    key: str
    start: int
    end: int


@cache
def _han() -> dict[int, str]:
    """Return traditional to simplified characters, from wordfreq's table, and Japan's to them."""
    file = resources.files("wordfreq") / "data" / "_chinese_mapping.msgpack.gz"
    table = msgpack.loads(gzip.decompress(file.read_bytes()), strict_map_key=False)
    table.update({ord(japanese): chinese for japanese, chinese in _SHINJITAI.items()})
    return {int(old): str(new) for old, new in table.items()}


def fold(text: str) -> str:
    """Return ``text`` without case, accents and widths, in simplified characters."""
    text = unicodedata.normalize("NFKC", text).casefold()
    if not text.isascii():
        text = _COMBINING.sub("", unicodedata.normalize("NFD", text))
        text = unicodedata.normalize("NFC", text).translate(_STROKES)
        if CJK.search(text):
            text = text.translate(_han())
    return text


def words(text: str) -> Iterator[Word]:
    """Yield the words of ``text`` that are not Chinese or Japanese, possessives cut off."""
    for match in _WORD.finditer(text):
        raw = _POSSESSIVE.sub("", match.group())
        key = fold(raw)
        for mark in _APOSTROPHES:
            key = key.replace(mark, "")
        if key:
            yield Word(raw, key, match.start(), match.start() + len(raw))


def joined(keys: list[str]) -> str:
    """Return the key of a name whose words have ``keys``: saints and mounts written out."""
    last = len(keys) - 1
    return " ".join(_SHORT.get(key, key) if at < last else key for at, key in enumerate(keys))


def key_of(name: str) -> str:
    """Return the key of a name: two spellings of one name have the same; empty for no name."""
    if name.isascii() and name.isalpha():
        return name.lower()
    if CJK.search(name):
        return "".join(part for part in fold(name).split() if part).replace("・", "")
    return joined([word.key for word in words(name)])


def cjk_keys(name: str) -> list[str]:
    """Return the keys of a Chinese or Japanese name: with its unit (市, 県 …) and without."""
    whole = key_of(name)
    bare = whole[:-1]
    if len(whole) > 2 and whole[-1] in _UNITS and whole not in _NO_UNIT:  # noqa: PLR2004 -- 2 + unit
        return [whole, bare]
    return [whole]
