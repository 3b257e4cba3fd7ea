"""Puts mentions on the map."""

from analysis.contracts import Geocoder, StrategyInputs
from analysis.geocoding.correcting import Corrected, Corrections
from analysis.geocoding.nominatim import NominatimGeocoder
from analysis.geocoding.offline import OfflineGeocoder

OFFLINE = "offline"
NOMINATIM = "nominatim"


def geocoder_for(inputs: StrategyInputs, *, corrections: Corrections | None = None) -> Geocoder:
    """Return the geocoder that a strategy asks for.

    Args:
        inputs: ``geocode_mode`` decides; ``offline`` is the default.
        corrections: what people corrected: asked before the geocoder, for every mention.
    """
    is_online = inputs.geocode_mode == NOMINATIM
    geocoder: Geocoder = NominatimGeocoder() if is_online else OfflineGeocoder()
    return Corrected(geocoder, corrections) if corrections else geocoder
