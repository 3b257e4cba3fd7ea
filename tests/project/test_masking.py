import pytest

from project.core import masking


@pytest.mark.parametrize("name", ["password", "API_KEY", "access-token", "client secret", "Cookie"])
def test_names_of_secrets_are_known(name):
    assert masking.is_secret(name)
    assert masking.without_secrets({name: "abc", "x": 1}) == {name: masking.HIDDEN, "x": 1}


def test_credentials_in_addresses_are_hidden():
    assert masking.text("socks5://u:p@host:1 and http://x/") == (
        f"socks5://{masking.HIDDEN}@host:1 and http://x/"
    )
    assert not masking.is_secret("endpoint")
