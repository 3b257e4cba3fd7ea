"""What the dashboards show, a module for each; build.py writes it down for Grafana.

What processes count is summed; what each web process reads from the database is the same in all
of them, so its ``max`` is taken.
"""

from panels.availability import AVAILABILITY
from panels.markets import MARKETS
from panels.proxies import PROXIES
from panels.system import SYSTEM
from panels.videos import VIDEOS
from panels.work import WORK

DASHBOARDS = (AVAILABILITY, PROXIES, MARKETS, VIDEOS, WORK, SYSTEM)
