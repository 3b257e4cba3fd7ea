import pytest

from project.core import addresses
from project.core.connecting import CheckedResolver


async def test_name_that_leads_inside_is_refused(settings):
    settings.ALLOW_PRIVATE_NETWORKS = False

    with pytest.raises(addresses.ForbiddenAddressError):
        await CheckedResolver().resolve("localhost", 80)


async def test_checked_address_is_the_one_connected_to(settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    resolver = CheckedResolver()

    (found,) = await resolver.resolve("127.0.0.1", 81)
    await resolver.close()

    assert (found["hostname"], found["host"], found["port"]) == ("127.0.0.1", "127.0.0.1", 81)
