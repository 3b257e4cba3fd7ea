"""What of the app is forgotten each night: answers of geocoders that hold no longer."""

from datetime import datetime, timedelta

from django.conf import settings

from analysis.models import Lookup
from project.core import cleaning, events


@cleaning.register
def forget(now: datetime) -> dict[str, int]:
    """Drop answers that nobody has asked for anew since they ceased to hold."""
    since = now - timedelta(days=settings.NOMINATIM_KEEP_DAYS)
    return {"geocoder_answers": events.delete_all(Lookup.objects.filter(asked_at__lt=since))}
