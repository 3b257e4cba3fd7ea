"""How videos are analysed: the hash of a strategy, finding one, and that results keep theirs."""

import hashlib
import json
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.forms.models import model_to_dict

from analysis.contracts import StrategyInputs
from analysis.extracting import prompting
from analysis.failures import Deterministic
from analysis.models import Analysis, Strategy
from project.core.callers import Caller
from project.core.errors import ConflictError, FieldProblem, InvalidInputError

#: What is part of a hash only where it differs from this: more may be added, old hashes stay.
DEFAULTS: Final[dict[str, Any]] = {"language": ""}
_INPUTS: Final = ("model", "model_temp", "compression_ratio", "extraction_prompt_v", "geocode_mode")
#: What of a strategy may be changed although it has results: nothing that a result depends on.
FREE: Final = frozenset({"name", "description", "is_default", "is_enabled"})


class UnknownStrategyError(InvalidInputError):
    """No strategy that is in use is called so."""

    code = "unknown_strategy"
    title = "Unknown strategy"


class StrategyHasResultsError(ConflictError):
    """A strategy that has results can't be edited: copy it."""

    code = "strategy_has_results"
    title = "The strategy has results"


def inputs_of(strategy: Strategy) -> dict[str, Any]:
    """Return what of a strategy a result depends on, as it is hashed and kept."""
    further = {
        name: getattr(strategy, name)
        for name, default in DEFAULTS.items()
        if getattr(strategy, name) != default
    }
    found = {name: getattr(strategy, name) for name in _INPUTS}
    numbers = {name: float(found[name]) for name in ("model_temp", "compression_ratio")}
    return {**found, **numbers, **further}


def hash_of(inputs: dict[str, Any]) -> str:
    """Return the hash of a strategy's inputs: 8 hexadecimal digits."""
    written = json.dumps(inputs, sort_keys=True).encode()
    return hashlib.sha1(written, usedforsecurity=False).hexdigest()[:8]


def as_contract(inputs: dict[str, Any]) -> StrategyInputs:
    """Return kept inputs as extractors and geocoders take them."""
    known = {name: inputs[name] for name in _INPUTS}
    extra = {**DEFAULTS, **{name: inputs[name] for name in inputs if name not in _INPUTS}}
    return StrategyInputs(**known, extra=extra)


def find(named: str = "") -> Strategy:
    """Return the strategy that is called so, by name, hash or number; without a name the default.

    Raises:
        UnknownStrategyError: there is none, or it isn't in use.
    """
    in_use = Strategy.objects.filter(is_enabled=True)
    if not named:
        found = in_use.filter(is_default=True).first()
    else:
        found = (
            in_use.filter(name=named).first()
            or in_use.filter(strategy_hash=named).order_by("pk").first()
            or (in_use.filter(pk=int(named)).first() if _is_number(named) else None)
        )
    if found is None:
        known = ", ".join(in_use.values_list("name", flat=True)[:20]) or "none is in use"
        wrong = FieldProblem("strategy", "unknown_strategy", f"one of {known}")
        raise UnknownStrategyError(f"strategy: {wrong.detail}", fields=(wrong,))
    return found


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10  # noqa: PLR2004 -- fits the key


def state_of(strategy: Strategy) -> dict[str, Any]:
    """Return a strategy as the API shows it."""
    names = ("name", "description", "strategy_hash", *_INPUTS, "language", "is_default")
    return {"id": strategy.pk, **{name: getattr(strategy, name) for name in names}}


def has_results(strategy: Strategy) -> bool:
    """Say whether anything was ever analysed so: results keep the meaning of their hash."""
    return Analysis.objects.filter(strategy=strategy).exists()


def save(strategy: Strategy, *, changed: set[str], by: Caller) -> Strategy:
    """Write a new strategy, or the changes of one.

    Raises:
        StrategyHasResultsError: a change would alter what its results were made with.
        InvalidInputError: a value that can't be.
    """
    strategy.strategy_hash = hash_of(inputs_of(strategy))
    if is_new := strategy._state.adding:  # noqa: SLF001 -- documented
        strategy.created_by_id = by.user_id
    with transaction.atomic():
        if not is_new and changed - FREE and has_results(strategy):
            names = ", ".join(sorted(changed - FREE))
            raise StrategyHasResultsError(f"{strategy} has results: copy it to change {names}")
        if strategy.is_default:
            others = Strategy.objects.filter(is_default=True).exclude(pk=strategy.pk)
            others.update(is_default=False)
        require_prompt(strategy.extraction_prompt_v)
        try:
            strategy.full_clean()
        except ValidationError as error:
            raise InvalidInputError("; ".join(error.messages)) from error
        strategy.save()
    return strategy


def require_prompt(version: int) -> None:
    """Refuse a version of the prompt that there is not: jobs would fail with it.

    Raises:
        InvalidInputError: there is none.
    """
    try:
        prompting.load(version)
    except Deterministic as error:
        wrong = FieldProblem("extraction_prompt_v", error.code, str(error))
        raise InvalidInputError(str(error), fields=(wrong,)) from error


def copy(strategy: Strategy, *, name: str, by: Caller, now: datetime) -> Strategy:
    """Return a new strategy with the same inputs, to be edited.

    Raises:
        InvalidInputError: the name is taken or none.
    """
    kept = model_to_dict(strategy, fields=[*_INPUTS, *DEFAULTS, "description"])
    made = Strategy(**kept, name=name, created_at=now)
    try:
        return save(made, changed=set(), by=by)
    except IntegrityError as error:
        raise InvalidInputError(f"there is a strategy {name} already") from error
