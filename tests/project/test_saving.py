import pytest

from project.core import saving
from project.core.callers import Caller
from project.core.models import SavedFilter
from tests.factories import make_saved_filter, make_staff


@pytest.mark.parametrize(
    ("query", "tidied"),
    [
        ("status__exact=failed&p=3", "status__exact=failed"),
        ("?b=2&a=1", "a=1&b=2"),
        ("kind=&q=wheel", "q=wheel"),
        ("status__exact=b&status__exact=a", "status__exact=a&status__exact=b"),
        ("e=1&_popup=1", ""),
        ("q=%C3%A9&x=a%26b", "q=%C3%A9&x=a%26b"),
    ],
)
def test_tidy_makes_equal_views_equal(query, tidied):
    assert saving.tidy(query) == tidied
    assert saving.tidy(tidied) == tidied


@pytest.mark.django_db
def test_lists_show_own_filters_and_shared_ones():
    ada = make_staff()
    by = Caller(user_id=ada.pk, is_staff=True)
    own = saving.keep("core.run", "kind=x", name=" Mine ", is_shared=False, by=by)
    shared = make_saved_filter(name="All failed")
    make_saved_filter(name="Secret", is_shared=False)
    make_saved_filter(name="Elsewhere", page="markets.gap")

    assert saving.of_list("core.run", by=by) == [shared, own]
    assert own.name == "Mine"


@pytest.mark.parametrize(("query", "name"), [("p=2", "x"), ("a=1", "  ")])
@pytest.mark.django_db
def test_nothing_is_not_kept(query, name):
    with pytest.raises(saving.NothingToKeepError):
        saving.keep("core.run", query, name=name, is_shared=False, by=Caller(user_id=1))

    assert not SavedFilter.objects.exists()


@pytest.mark.django_db
def test_a_name_is_taken_once_on_each_list():
    by = Caller(user_id=make_staff().pk, is_staff=True)
    saving.keep("core.run", "a=1", name="x", is_shared=False, by=by)
    saving.keep("markets.gap", "a=1", name="x", is_shared=False, by=by)

    with pytest.raises(saving.NameTakenError):
        saving.keep("core.run", "a=2", name="x", is_shared=False, by=by)
