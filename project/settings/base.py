"""Django's own settings."""

from pathlib import Path
from urllib.parse import urlsplit

import django_stubs_ext

from project.settings import env, keys

django_stubs_ext.monkeypatch()  # lets ``ModelAdmin[Proxy]`` work at run time

BASE_DIR = Path(__file__).resolve().parents[2]
ENVIRONMENT = env.environment()
DATA_DIR = Path(env.text("DATA_DIR", "./var")).resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)
HOST = env.text("HOST", "127.0.0.1")
PORT = env.whole("PORT", 8000, at_least=1)
PUBLIC_URL = env.scaled("PUBLIC_URL", "").rstrip("/")
SECRET_KEY = env.made("SECRET_KEY", lambda: keys.secret_key(DATA_DIR))
#: Keys of encrypted fields, newest first; the first encrypts, all decrypt.
FIELD_KEYS = env.made("FIELD_KEYS", lambda: keys.field_keys(DATA_DIR))
DEBUG = False

_PUBLIC = urlsplit(PUBLIC_URL)
ALLOWED_HOSTS = [_PUBLIC.hostname or "", "127.0.0.1", "localhost", "[::1]"] if PUBLIC_URL else ["*"]
CSRF_TRUSTED_ORIGINS = [f"{_PUBLIC.scheme}://{_PUBLIC.netloc}"] if PUBLIC_URL else []
_OVER_TLS = _PUBLIC.scheme == "https"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _OVER_TLS else None
SECURE_HSTS_SECONDS = 31_536_000 if _OVER_TLS else 0
#: Not ours to say: what other hosts of the domain do (W005, W021); whoever ends TLS leads there from
#: plain HTTP (deploy/nginx), and probes and scrapers inside ask without it (W008).
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
SESSION_COOKIE_SECURE = _OVER_TLS
CSRF_COOKIE_SECURE = _OVER_TLS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

ROOT_URLCONF = "project.urls"
ASGI_APPLICATION = "project.asgi.application"
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.SessionBackend"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "admin:login"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = ["project.formats"]
CSRF_FAILURE_VIEW = "project.core.api.problems.csrf_failure"
#: The largest request at all, bytes: whole files; what is held in memory, JSON above all, is less.
UPLOAD_MAX_BYTES = env.whole("UPLOAD_MAX_BYTES", 32 * 1024 * 1024, at_least=1)
DATA_UPLOAD_MAX_MEMORY_SIZE = min(10 * 1024 * 1024, UPLOAD_MAX_BYTES)

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("vendor/lightweight-charts", BASE_DIR / "node_modules" / "lightweight-charts" / "dist"),
    ("vendor/leaflet", BASE_DIR / "node_modules" / "leaflet" / "dist"),
    ("vendor/world-atlas", BASE_DIR / "node_modules" / "world-atlas"),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "project.core.apps.ConsoleConfig",  # django.contrib.admin with our site
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",  # for its middleware: our sessions have a table of their own
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_prometheus",
    "corsheaders",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "django_celery_beat",
    # After django_celery_beat, so that core may register its models anew.
    "project.core",
    "project.db",
    "project.runtime",
    "project.storage",
    "accounts",
    "proxies",
    "markets",
    "analysis",
]
MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "project.core.requests.RequestIdMiddleware",
    "project.core.probing.ProbeMiddleware",
    "project.core.policing.PolicyMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.backends.UserMiddleware",
    "accounts.enrolling.EnrolMiddleware",
    "accounts.api.throttling.LimitMiddleware",
    "accounts.api.repeating.RepeatMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
