"""Where mails go: to a server, or without one into files of the data directory."""

from urllib.parse import unquote, urlsplit

from project.settings import env
from project.settings.base import DATA_DIR

EMAIL_URL = env.url("EMAIL_URL", "", schemes=("smtp", "smtps"))
DEFAULT_FROM_EMAIL = env.text("MAIL_FROM", "millrace@localhost")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_FILE_PATH = DATA_DIR / "mail"
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_TIMEOUT = 20
if EMAIL_URL:
    _server = urlsplit(EMAIL_URL)
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = _server.hostname or "localhost"
    EMAIL_USE_SSL = _server.scheme == "smtps"
    EMAIL_USE_TLS = not EMAIL_USE_SSL and _server.username is not None
    EMAIL_PORT = _server.port or (465 if EMAIL_USE_SSL else 587)
    EMAIL_HOST_USER = unquote(_server.username or "")
    EMAIL_HOST_PASSWORD = unquote(_server.password or "")
