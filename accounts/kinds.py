"""The kinds of run of the app accounts."""

from typing import Final

from project.core import kinds
from project.core.kinds import Kind

DELIVER: Final = kinds.register(
    Kind("accounts.deliver", "Deliver webhooks", limit_s=600, loop="webhooks", alone=True)
)
