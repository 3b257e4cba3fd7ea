"""All settings; environments differ only by environment variables."""

from project.settings.base import *
from project.settings.storage import *
from project.settings.backups import *
from project.settings.celery import *
from project.settings.rest import *
from project.settings.observing import *
from project.settings.console import *
from project.settings.product import *
from project.settings.analysis import *
from project.settings.pools import *
from project.settings.running import *
from project.settings.limits import *
from project.settings.mail import *
from project.settings.origins import *
