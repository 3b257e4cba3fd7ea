import hashlib
import json

import pytest
from django.utils import timezone

from analysis import strategies
from analysis.models import Strategy
from project.core.callers import SYSTEM
from project.core.errors import InvalidInputError
from tests.analysis.factories import make_analysis, make_strategy

pytestmark = pytest.mark.django_db


def test_hash_is_over_the_five_inputs_as_the_contract_says():
    strategy = Strategy.objects.get(is_default=True)
    inputs = {
        "model": strategy.model,
        "model_temp": 0.7,
        "compression_ratio": 0.4,
        "extraction_prompt_v": 2,
        "geocode_mode": strategy.geocode_mode,
    }

    expected = hashlib.sha1(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:8]

    assert strategies.inputs_of(strategy) == inputs
    assert strategies.hash_of(inputs) == strategy.strategy_hash == expected


def test_hash_does_not_depend_on_how_a_number_is_written():
    assert strategies.inputs_of(make_strategy(model_temp=1)) == strategies.inputs_of(
        make_strategy(model_temp=1.0)
    )


def test_further_inputs_count_only_where_they_differ_from_their_default():
    plain, german = make_strategy(), make_strategy(language="de")

    assert "language" not in strategies.inputs_of(plain)
    assert strategies.inputs_of(german)["language"] == "de"
    assert plain.strategy_hash != german.strategy_hash
    assert strategies.as_contract(strategies.inputs_of(plain)).extra == {"language": ""}
    assert strategies.as_contract(strategies.inputs_of(german)).extra == {"language": "de"}


@pytest.mark.parametrize("by", ["name", "strategy_hash", "pk"])
def test_find_by_name_hash_or_number(by):
    strategy = make_strategy(model="a-model")

    assert strategies.find(str(getattr(strategy, by))) == strategy


def test_find_without_a_name_gives_the_default():
    assert strategies.find().name == "offline"


@pytest.mark.parametrize("name", ["nobody", "99999", "9" * 40, "٣"])
def test_find_what_is_not_there(name):
    make_strategy(name="asleep", is_enabled=False)

    with pytest.raises(strategies.UnknownStrategyError) as caught:
        strategies.find(name)

    assert (caught.value.code, caught.value.fields[0].field) == ("unknown_strategy", "strategy")
    with pytest.raises(strategies.UnknownStrategyError):
        strategies.find("asleep")


def test_strategy_with_results_keeps_what_they_depend_on():
    strategy = make_strategy()
    make_analysis(strategy=strategy)
    strategy.model_temp = 0.1

    with pytest.raises(strategies.StrategyHasResultsError):
        strategies.save(strategy, changed={"model_temp"}, by=SYSTEM)

    strategy.refresh_from_db()
    assert strategy.model_temp == 0.7
    strategy.description = "renamed"
    strategies.save(strategy, changed={"description"}, by=SYSTEM)
    strategy.refresh_from_db()
    assert strategy.description == "renamed"


def test_strategy_without_results_may_change_and_gets_a_new_hash():
    strategy = make_strategy()
    before = strategy.strategy_hash
    strategy.model_temp = 0.1

    strategies.save(strategy, changed={"model_temp"}, by=SYSTEM)

    strategy.refresh_from_db()
    assert strategy.strategy_hash != before
    assert strategy.strategy_hash == strategies.hash_of(strategies.inputs_of(strategy))


def test_copy_has_the_same_inputs_and_no_results():
    strategy = make_strategy(language="ja")
    make_analysis(strategy=strategy)

    made = strategies.copy(strategy, name="another", by=SYSTEM, now=timezone.now())

    assert made.strategy_hash == strategy.strategy_hash
    assert (made.language, made.is_default, strategies.has_results(made)) == ("ja", False, False)
    with pytest.raises(InvalidInputError):
        strategies.copy(strategy, name="another", by=SYSTEM, now=timezone.now())


def test_a_new_default_takes_the_place_of_the_old_one():
    strategy = make_strategy()
    strategy.is_default = True

    strategies.save(strategy, changed={"is_default"}, by=SYSTEM)

    assert list(Strategy.objects.filter(is_default=True)) == [strategy]


@pytest.mark.parametrize(
    "wrong", [{"model_temp": 3.0}, {"compression_ratio": 0.0}, {"name": "two words"}]
)
def test_values_that_cannot_be_are_refused(wrong):
    strategy = Strategy(**{"name": "new", **wrong})

    with pytest.raises(InvalidInputError):
        strategies.save(strategy, changed=set(), by=SYSTEM)


@pytest.mark.parametrize(
    "wrong", [{"extraction_prompt_v": 99}, {"geocode_mode": "Nominatim"}, {"model_temp": 3.0}]
)
def test_a_strategy_that_no_job_could_follow_is_refused(wrong):
    strategy = Strategy(name="new", **wrong)

    with pytest.raises(InvalidInputError):
        strategies.save(strategy, changed=set(), by=SYSTEM)

    assert not Strategy.objects.filter(name="new").exists()
