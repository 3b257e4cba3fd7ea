"""Local servers that speak the outside world's wire formats, for tests and the demo.

Nothing here knows Django or an app. README.md has the endpoints, the faults and how to run it.
"""

from project.sandbox.exchange.limiting import RateLimit
from project.sandbox.exchange.markets import Correction, Outage
from project.sandbox.faults import Fault, FaultKind
from project.sandbox.llm.server import Odd
from project.sandbox.proxies.specs import Protocol, ProxyKind, ProxySpec, mixed
from project.sandbox.requestlog import Wanted
from project.sandbox.running import running, started
from project.sandbox.world import World, WorldPlan

__all__ = [
    "Correction",
    "Fault",
    "FaultKind",
    "Odd",
    "Outage",
    "Protocol",
    "ProxyKind",
    "ProxySpec",
    "RateLimit",
    "Wanted",
    "World",
    "WorldPlan",
    "mixed",
    "running",
    "started",
]
