"""Settings of the REST API and its schema."""

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.ApiKeyAuthentication",
        "accounts.api.authentication.CookieAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["project.core.api.permissions.DenyAll"],
    "DEFAULT_PARSER_CLASSES": ["project.core.api.parsing.JsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["project.core.api.rendering.JsonRenderer"],
    "DEFAULT_PAGINATION_CLASS": "project.core.api.paging.Cursor",
    "EXCEPTION_HANDLER": "project.core.api.problems.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "project.core.api.schema.ProblemSchema",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "URL_FORMAT_OVERRIDE": None,  # ?format= is a field of ours (csv, parquet, …)
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Millrace",
    "DESCRIPTION": "A control room for collecting data that public sources make hard to collect.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "project.core.api.streams_schema.add",
        "analysis.api.streams_schema.add",
    ],
    "ENUM_NAME_OVERRIDES": {
        "RunStatusEnum": "project.core.choices.RunStatus.choices",
        "HealthStatusEnum": ["healthy", "degraded", "unhealthy"],
    },
}
