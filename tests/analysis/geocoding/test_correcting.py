from analysis.contracts import Located, Mention, Unlocated, VideoContext
from analysis.geocoding import Corrected

VIDEO = VideoContext("v")


def mention(raw: str) -> Mention:
    return Mention(raw, 0, 4000, quote=f"in {raw}", tags=("spoken",), country="NP")


class Atlas:
    """Knows Kathmandu alone."""

    def prepare(self, told):
        """Wait for nothing."""

    def locate(self, mentions, video):
        for one in mentions:
            if one.raw == "Kathmandu":
                yield Located(one, "Kathmandu", 85.3, 27.7, "city", "city")
            else:
                yield Unlocated(one, "nobody knows it", retryable=False)


class Told:
    def spot_of(self, raw):
        return {"Kathmandu": (1.0, 2.0), "Thamel": (85.31, 27.715)}.get(raw)


def test_people_are_asked_for_what_the_geocoder_does_not_know():
    said = [mention(name) for name in ("Kathmandu", "Thamel", "Atlantis")]

    found = list(Corrected(Atlas(), Told()).locate(said, VIDEO))

    assert found == [
        Located(said[0], "Kathmandu", 85.3, 27.7, "city", "city"),
        Located(said[1], "Thamel", 85.31, 27.715, "", "pin", country="NP", authority="correction"),
        Unlocated(said[2], "nobody knows it", retryable=False),
    ]
