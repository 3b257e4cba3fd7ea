"""Finds the places that speech names."""

from analysis.choices import OFFLINE
from analysis.contracts import Extractor, StrategyInputs
from analysis.extracting.llm import ModelExtractor
from analysis.extracting.offline import OfflineExtractor


def extractor_for(inputs: StrategyInputs) -> Extractor:
    """Return the extractor that a strategy asks for; without a model it is the offline one.

    Raises:
        analysis.failures.Deterministic: ``llm_not_configured``, ``unknown_prompt_version``.
    """
    if inputs.model in ("", OFFLINE):
        return OfflineExtractor()
    return ModelExtractor(inputs)
