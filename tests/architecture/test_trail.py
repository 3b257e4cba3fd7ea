"""What changes something over the API is noted when staff do it, or it is said why not."""

from tests.architecture.test_access import TABLE, routes

#: What is nobody's business but the caller's own, or is kept elsewhere.
NOT_NOTED = {
    ("api/auth/register", "POST"): "nobody is known yet",
    ("api/auth/login", "POST"): "devices tell who signed in, and from where",
    ("api/auth/logout", "POST"): "the caller's own session",
    ("api/auth/password/change", "POST"): "the caller's own password",
    ("api/auth/password/reset", "POST"): "nobody is known yet",
    ("api/auth/keys", "POST"): "the verb notes keys of staff",
    ("api/auth/keys/<int:key_id>", "DELETE"): "the verb notes keys of staff",
    (
        "api/auth/devices/<str:device_id>",
        "DELETE",
    ): "the caller's own; the verb notes keys of staff",
    ("api/auth/devices/revoke-others", "POST"): "the caller's own sessions",
    ("api/auth/subscription/webhook", "POST"): "the verb notes what a billing system says",
    ("api/webhooks", "POST"): "the caller's own webhook",
    ("api/webhooks/<int:webhook_id>", "PATCH"): "the caller's own webhook",
    ("api/webhooks/<int:webhook_id>", "DELETE"): "the caller's own webhook",
    ("api/webhooks/deliveries/<int:delivery_id>/replay", "POST"): "the caller's own webhook",
    ("api/proxies/leases", "POST"): "the caller's own lease",
    ("api/proxies/leases/<int:lease_id>/renew", "POST"): "who shows the token holds the lease",
    ("api/proxies/leases/<int:lease_id>/release", "POST"): "who shows the token holds the lease",
    ("api/etl/snapshots", "POST"): "machines send them, and each is kept with its sender",
    ("api/videos/analyze", "POST"): "the caller's own job",
    ("api/videos/analyze/batch", "POST"): "the caller's own batch",
}


def test_every_change_over_the_api_is_noted_or_says_why_not():
    known = routes()
    changing = [
        (address, method)
        for address, method in TABLE
        if address.startswith("api/") and method not in {"GET", "HEAD", "OPTIONS"}
    ]
    silent = {
        (address, method)
        for address, method in changing
        if not getattr(getattr(known[address].cls, method.lower()), "is_noted", False)
    }

    assert len(changing) > 30
    assert silent == set(NOT_NOTED)
