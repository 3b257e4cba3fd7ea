"""Addresses of the accounts API."""

from django.urls import path

from accounts.api import access, billing, hooks, own

urlpatterns = [
    path("auth/register", access.Register.as_view(), name="auth-register"),
    path("auth/login", access.Login.as_view(), name="auth-login"),
    path("auth/logout", access.Logout.as_view(), name="auth-logout"),
    path("auth/me", access.Me.as_view(), name="auth-me"),
    path("auth/csrf", access.Csrf.as_view(), name="auth-csrf"),
    path("auth/password/change", access.ChangePassword.as_view(), name="auth-password-change"),
    path("auth/password/reset", access.ResetPassword.as_view(), name="auth-password-reset"),
    path("auth/keys", own.Keys.as_view(), name="auth-keys"),
    path("auth/keys/<int:key_id>", own.Key.as_view(), name="auth-key"),
    path("auth/devices", own.Devices.as_view(), name="auth-devices"),
    path("auth/devices/revoke-others", own.RevokeOthers.as_view(), name="auth-revoke-others"),
    path("auth/devices/<str:device_id>", own.OneDevice.as_view(), name="auth-device"),
    path("auth/subscription", own.OwnSubscription.as_view(), name="auth-subscription"),
    path(
        "auth/subscription/webhook",
        billing.SubscriptionWebhook.as_view(),
        name="subscription-webhook",
    ),
    path("webhooks", hooks.Webhooks.as_view(), name="webhooks"),
    path("webhooks/<int:webhook_id>", hooks.OneWebhook.as_view(), name="webhook"),
    path("webhooks/<int:webhook_id>/deliveries", hooks.Deliveries.as_view(), name="deliveries"),
    path("webhooks/deliveries/<int:delivery_id>/replay", hooks.Replay.as_view(), name="replay"),
    path("config/features", own.Features.as_view(), name="features"),
    path("plans", own.Plans.as_view(), name="plans"),
]
