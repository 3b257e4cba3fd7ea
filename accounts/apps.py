"""Registers the app ``accounts``."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Settings of the app ``accounts``."""

    name = "accounts"

    def ready(self) -> None:
        """Let drf-spectacular find the API key scheme; let last uses be written behind."""
        from accounts import kinds, metrics, noting, webhooks  # noqa: F401, PLC0415 -- apps ready
        from accounts.api import schema  # noqa: F401, PLC0415 -- apps ready
        from project.core import announcing, processes  # noqa: PLC0415 -- apps ready

        processes.with_heart(noting.begin)
        announcing.listen(webhooks.hear)
