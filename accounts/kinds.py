"""The kinds of run of the app accounts."""

from typing import Final

from project.core import kinds, switches
from project.core.kinds import Kind

DELIVER: Final = kinds.register(
    Kind("accounts.deliver", "Deliver webhooks", limit_s=600, loop="webhooks", alone=True)
)

switches.register(
    switches.Switch(
        name="webhooks",
        label="Webhooks",
        text="No user's webhook is called; what is to be told waits.",
        kinds=(DELIVER.name,),
    )
)
