"""Puts mentions on the map."""

from analysis.contracts import Geocoder, StrategyInputs
from analysis.geocoding.correcting import Corrected, Corrections
from analysis.geocoding.offline import OfflineGeocoder

OFFLINE = "offline"


def geocoder_for(inputs: StrategyInputs, *, corrections: Corrections | None = None) -> Geocoder:
    """Return the geocoder that a strategy asks for.

    Args:
        inputs: ``geocode_mode`` decides; ``offline`` is the default.
        corrections: what people corrected: asked before the geocoder, for every mention.
    """
    geocoder: Geocoder = OfflineGeocoder()
    return Corrected(geocoder, corrections) if corrections else geocoder
