"""Where the places are that the sandbox's films name; facts."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Spot:
    """A place: its names, where it lies, and what OpenStreetMap calls its kind."""

    name: str
    other_names: tuple[str, ...]
    latitude: float
    longitude: float
    country: str
    category: str = "place"
    kind: str = "city"

    @property
    def names(self) -> tuple[str, ...]:
        """All names, the usual one first."""
        return (self.name, *self.other_names)


SPOTS: Final = (
    Spot("Taipei", ("台北", "臺北"), 25.0330, 121.5654, "tw"),
    Spot("Shilin Night Market", ("士林夜市",), 25.0880, 121.5240, "tw", "amenity", "marketplace"),
    Spot("Jiufen", ("九份", "九份老街"), 25.1092, 121.8443, "tw", "place", "village"),
    Spot("Keelung", ("基隆",), 25.1276, 121.7392, "tw"),
    Spot("Taichung", ("台中", "臺中"), 24.1477, 120.6736, "tw"),
    Spot("Sun Moon Lake", ("日月潭",), 23.8575, 120.9160, "tw", "natural", "water"),
    Spot("Tainan", ("台南", "臺南"), 22.9997, 120.2270, "tw"),
    Spot("Anping", ("安平",), 23.0016, 120.1600, "tw", "place", "suburb"),
    Spot("Kaohsiung", ("高雄",), 22.6273, 120.3014, "tw"),
    Spot("Hualien", ("花蓮",), 23.9872, 121.6016, "tw"),
    Spot("Taroko Gorge", ("太魯閣",), 24.1580, 121.6220, "tw", "natural", "gorge"),
    Spot("Zurich", ("Zürich",), 47.3769, 8.5417, "ch"),
    Spot("Lucerne", ("Luzern",), 47.0502, 8.3093, "ch"),
    Spot("Lake Lucerne", ("Vierwaldstättersee",), 47.0136, 8.4372, "ch", "natural", "water"),
    Spot("Interlaken", (), 46.6863, 7.8632, "ch", "place", "town"),
    Spot("Grindelwald", (), 46.6242, 8.0414, "ch", "place", "village"),
    Spot("Eiger", (), 46.5776, 8.0054, "ch", "natural", "peak"),
    Spot("Bern", ("Berne",), 46.9480, 7.4474, "ch"),
    Spot("Zermatt", (), 46.0207, 7.7491, "ch", "place", "village"),
    Spot("Matterhorn", (), 45.9766, 7.6586, "ch", "natural", "peak"),
    Spot("Geneva", ("Genève",), 46.2044, 6.1432, "ch"),
    Spot("Kyoto", ("京都",), 35.0116, 135.7681, "jp"),
    Spot("Kiyomizu-dera", ("清水寺",), 34.9949, 135.7850, "jp", "tourism", "attraction"),
    Spot("Fushimi Inari", ("伏見稲荷",), 34.9671, 135.7727, "jp", "tourism", "attraction"),
    Spot("Nara", ("奈良",), 34.6851, 135.8048, "jp"),
    Spot("Dotonbori", ("道頓堀",), 34.6687, 135.5013, "jp", "place", "quarter"),
    Spot("Osaka", ("大阪",), 34.6937, 135.5023, "jp"),
    Spot("Kobe", ("神戸",), 34.6901, 135.1956, "jp"),
    Spot("Himeji Castle", ("姫路城",), 34.8394, 134.6939, "jp", "historic", "castle"),
    Spot("Lisbon", ("Lisboa",), 38.7223, -9.1393, "pt"),
    Spot("Porto", (), 41.1579, -8.6291, "pt"),
    Spot("Madrid", (), 40.4168, -3.7038, "es"),
    Spot("Seville", ("Sevilla",), 37.3891, -5.9845, "es"),
    Spot("Barcelona", (), 41.3874, 2.1686, "es"),
    Spot("Marseille", (), 43.2965, 5.3698, "fr"),
    Spot("Lyon", (), 45.7640, 4.8357, "fr"),
    Spot("Paris", (), 48.8566, 2.3522, "fr"),
    Spot("Brussels", ("Bruxelles",), 50.8503, 4.3517, "be"),
    Spot("Amsterdam", (), 52.3676, 4.9041, "nl"),
    Spot("Hamburg", (), 53.5511, 9.9937, "de"),
    Spot("Berlin", (), 52.5200, 13.4050, "de"),
    Spot("Prague", ("Praha",), 50.0755, 14.4378, "cz"),
    Spot("Vienna", ("Wien",), 48.2082, 16.3738, "at"),
    Spot("Budapest", (), 47.4979, 19.0402, "hu"),
    Spot("Zagreb", (), 45.8150, 15.9819, "hr"),
    Spot("Athens", (), 37.9838, 23.7275, "gr"),
    Spot("Istanbul", (), 41.0082, 28.9784, "tr"),
    Spot("Paris, Texas", (), 33.6609, -95.5555, "us", "place", "town"),
)
