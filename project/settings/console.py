"""The look of the admin: name, colours, side bar."""

from django.templatetags.static import static
from django.urls import reverse_lazy

UNFOLD = {
    "SITE_TITLE": "Millrace",
    "SITE_HEADER": "Millrace",
    "SITE_SUBHEADER": "control room",
    "SITE_SYMBOL": "water",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "project.core.dashboard.context",
}
