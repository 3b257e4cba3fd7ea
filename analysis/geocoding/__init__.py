"""Puts mentions on the map."""

from analysis.choices import GeocodeMode
from analysis.contracts import Geocoder, StrategyInputs
from analysis.geocoding.correcting import Corrected
from analysis.geocoding.nominatim import NominatimGeocoder
from analysis.geocoding.offline import OfflineGeocoder

__all__ = ["Corrected", "NominatimGeocoder", "OfflineGeocoder", "geocoder_for"]


def geocoder_for(inputs: StrategyInputs) -> Geocoder:
    """Return the geocoder that a strategy asks for.

    Args:
        inputs: ``geocode_mode`` decides; ``offline`` is the default.
    """
    is_online = inputs.geocode_mode == GeocodeMode.NOMINATIM
    return NominatimGeocoder() if is_online else OfflineGeocoder()
