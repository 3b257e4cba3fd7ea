"""Finds the places that speech names."""

from analysis.contracts import Extractor, StrategyInputs
from analysis.extracting.offline import OfflineExtractor


def extractor_for(inputs: StrategyInputs) -> Extractor:
    """Return the extractor that a strategy asks for; without a model it is the offline one."""
    _ = inputs
    return OfflineExtractor()
