import pytest
from django.urls import resolve

from accounts import page_urls


@pytest.mark.parametrize("pattern", page_urls.urlpatterns, ids=lambda pattern: pattern.name)
def test_page_is_reached_at_its_address(pattern):
    path = "/" + str(pattern.pattern).replace("<int:key_id>", "1").replace("<int:device_id>", "1")

    assert resolve(path.replace("<str:token>", "x.y")).func is pattern.callback
