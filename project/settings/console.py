"""The look of the admin: name, colours, side bar, palette."""

from typing import Any

#: Slate with a breath of water, and a deep river blue-green.
_BASE = {
    "50": "oklch(98.4% .003 220)",
    "100": "oklch(96.4% .005 220)",
    "200": "oklch(92.2% .008 222)",
    "300": "oklch(86.4% .012 224)",
    "400": "oklch(70.5% .020 228)",
    "500": "oklch(54.5% .024 232)",
    "600": "oklch(44% .026 234)",
    "700": "oklch(36.2% .026 236)",
    "800": "oklch(26.8% .024 238)",
    "900": "oklch(20.6% .021 240)",
    "950": "oklch(14.5% .018 242)",
}
_PRIMARY = {
    "50": "oklch(97.6% .012 210)",
    "100": "oklch(94.4% .028 210)",
    "200": "oklch(89% .052 210)",
    "300": "oklch(82% .082 211)",
    "400": "oklch(74% .105 212)",
    "500": "oklch(63.5% .108 214)",
    "600": "oklch(51.5% .094 217)",
    "700": "oklch(44.5% .080 219)",
    "800": "oklch(38% .066 221)",
    "900": "oklch(32.5% .052 223)",
    "950": "oklch(23% .040 225)",
}

LOGIN_REDIRECT_URL = "admin:index"
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Millrace",
    "SITE_HEADER": "Millrace",
    "SITE_SUBHEADER": "Control room",
    "SITE_ICON": "/static/millrace/logo.svg",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "/static/millrace/favicon.svg"}
    ],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "7px",
    "COLORS": {"base": _BASE, "primary": _PRIMARY},
    "STYLES": ["/static/millrace/console.css"],
    "ENVIRONMENT": "project.core.admin.sidebar.environment",
    "DASHBOARD_CALLBACK": "project.core.dashboard.context",
    "COMMAND": {"show_history": True},
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "navigation": "project.core.admin.sidebar.navigation",
    },
}
