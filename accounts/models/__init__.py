"""Who may use the product, and how much: users, keys, plans, limits, webhooks."""

from accounts.models.hooks import Webhook, WebhookDelivery
from accounts.models.limits import Flag, KeptAnswer, RateLimitRule, RateLimitSwitch
from accounts.models.plans import BillingEvent, Plan, Subscription
from accounts.models.users import (
    ApiKey,
    Device,
    SecondFactor,
    Session,
    SignInFailures,
    User,
    all_scopes_but_admin,
)

__all__ = [
    "ApiKey",
    "BillingEvent",
    "Device",
    "Flag",
    "KeptAnswer",
    "Plan",
    "RateLimitRule",
    "RateLimitSwitch",
    "SecondFactor",
    "Session",
    "SignInFailures",
    "Subscription",
    "User",
    "Webhook",
    "WebhookDelivery",
    "all_scopes_but_admin",
]
