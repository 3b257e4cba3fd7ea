"""Which films the video site shows, and what is said in them."""

from dataclasses import dataclass, field
from typing import Final

#: How long one sentence is spoken, milliseconds.
SENTENCE_MS: Final = 4_000


@dataclass(frozen=True, slots=True)
class Film:
    """One film: what its page tells, and what is said in each language.

    Attributes:
        name: last part of the page's address.
        title: of the page.
        description: of the page.
        spoken: by language, the sentences; each lasts four seconds.
        form: of the subtitle files: ``vtt``, ``srt``, ``json3``, or ``rolling`` (captions that
            repeat their upper line, as automatic ones do).
    """

    name: str
    title: str
    description: str
    spoken: dict[str, tuple[str, ...]] = field(default_factory=dict)
    form: str = "vtt"


_TAIWAN_EN: Final = (
    "Welcome back, friends, today we begin three days on the island of Taiwan.",
    "We land in Taipei and walk straight to the Shilin Night Market.",
    "The oyster omelette here is as good as everybody says.",
    "In the morning we take the train to Jiufen, the old mining town above the sea.",
    "It is raining, as it always does, and the tea houses are full.",
    "From there a bus brings us down to Keelung and its harbour.",
    "On the second day we ride the fast train to Taichung.",
    "A slow boat carries us across Sun Moon Lake.",
    "Then we drive on to Tainan, the oldest city of the island.",
    "We eat shrimp rolls in Anping until we cannot move.",
    "The last day belongs to Kaohsiung and its art pier.",
    "From Hualien we hike into Taroko Gorge before we fly home.",
    "Thank you for watching, and see you in the next one.",
)
_TAIWAN_ZH: Final = (
    "大家好，歡迎回來，今天我們要開始三天的台灣之旅。",  # noqa: RUF001 -- Chinese as written
    "我們抵達台北，先去士林夜市。",  # noqa: RUF001 -- as above
    "這裡的蚵仔煎真的很好吃。",
    "早上我們搭火車去九份老街。",
    "下雨了，茶館裡都是人。",  # noqa: RUF001 -- as above
    "然後坐公車到基隆。",
    "第二天我們搭高鐵到台中。",
    "在日月潭坐船。",
    "接著開車去台南。",
    "在安平吃蝦捲。",
    "最後一天在高雄。",
    "我們從花蓮走進太魯閣。",
    "謝謝收看，下次見。",  # noqa: RUF001 -- as above
)
_TAIWAN_JA: Final = (
    "みなさん、こんにちは。今日から三日間の台湾旅行です。",
    "台北に着いて、士林夜市に行きます。",
    "牡蠣のオムレツはとてもおいしいです。",
    "朝は電車で九份へ行きます。",
    "雨が降っています。",
    "それからバスで基隆へ行きます。",
    "二日目は台中です。",
    "日月潭で船に乗ります。",
    "次は台南へ行きます。",
    "安平で海老巻きを食べます。",
    "最後の日は高雄です。",
    "花蓮から太魯閣へ行きます。",
    "ご覧いただきありがとうございました。",
)
_ALPS_EN: Final = (
    "good morning from zurich we are about to cross half of switzerland by train",
    "first stop is lucerne with its wooden bridge over the water",
    "the boat on lake lucerne is included in the pass which is wonderful",
    "we climb to interlaken between the two lakes",
    "from grindelwald you can see the eiger right in front of you",
    "we spend the night in bern inside the loop of the river",
    "and then the long ride up to zermatt where no cars are allowed",
    "the matterhorn hides behind a cloud until five in the evening",
    "our last day is for geneva and its fountain",
    "that was it let us know where to go next",
)
_KANSAI_JA: Final = (
    "おはようございます。今日は京都から始めます。",
    "清水寺はとても混んでいます。",
    "伏見稲荷の鳥居を歩きます。",
    "奈良で鹿に会いました。",
    "大阪の道頓堀でたこ焼きを食べます。",
    "神戸の港で夜景を見ます。",
    "姫路城は白くて美しいです。",
    "また来週お会いしましょう。",
)
_KANSAI_EN: Final = (
    "Good morning, today we start in Kyoto.",
    "Kiyomizu-dera is very crowded.",
    "We walk below the gates of Fushimi Inari.",
    "We meet the deer in Nara.",
    "We eat takoyaki at Dotonbori in Osaka.",
    "We look at the lights of the harbour of Kobe.",
    "Himeji Castle is white and beautiful.",
    "See you again next week.",
)
_TOWNS: Final = (
    "Lisbon", "Porto", "Madrid", "Seville", "Barcelona", "Marseille", "Lyon", "Paris", "Brussels",
    "Amsterdam", "Hamburg", "Berlin", "Prague", "Vienna", "Budapest", "Zagreb", "Athens", "Istanbul",
)  # fmt: skip

FILMS: Final = (
    Film(
        "taiwan",
        "Three days in Taiwan",
        "Taipei, Jiufen, Sun Moon Lake, Tainan and Taroko: our route around Taiwan.\n"
        "0:00 Taipei\n0:12 Jiufen\n0:28 Sun Moon Lake\n0:44 Taroko Gorge",
        {"zh-TW": _TAIWAN_ZH, "en": _TAIWAN_EN, "ja": _TAIWAN_JA},
    ),
    Film(
        "alps",
        "Switzerland by train",
        "From Zurich to Geneva with the Swiss Travel Pass.",
        {"en": _ALPS_EN},
        form="rolling",
    ),
    Film(
        "kansai",
        "京都・大阪・奈良の旅",
        "Kansai in a day, Japan.",
        {"ja": _KANSAI_JA, "en": _KANSAI_EN},
        form="srt",
    ),
    Film(
        "interrail",
        "Eighteen cities by rail",
        "Across Europe, one city after the other.",
        {
            "en": tuple(
                sentence
                for town in _TOWNS
                for sentence in (
                    f"The next train brings us to {town}.",
                    f"We walk through the old town of {town} until the evening.",
                    "The food is good and the beds are hard.",
                )
            )
        },
        form="json3",
    ),
    Film("silent", "Waves, ten hours", "No words, only the sea."),
)
