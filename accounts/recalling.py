"""What is remembered of keys, users, what they may and where they are signed in, and how long.

Lives are upper bounds: whoever changes one of these calls ``forget_…``, which holds at once and
everywhere. What is remembered of a user is no password, only what proves that it did not change.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from django.db.models import Model

from accounts.models import ApiKey, Plan, Subscription, User
from project.core import lookups
from project.core.lookups import Turn

Row = TypeVar("Row", bound=Model)
USER_S: Final = 600
SUBSCRIPTION_S: Final = 300
SESSION_S: Final = 120
DEVICE_S: Final = 1800
_USER: Final = ("id", "email", "name", "is_staff", "is_superuser", "is_active")
_MOMENTS: Final = ("date_joined", "last_login", "second_factor_at")
_KEY: Final = ("id", "user_id", "scopes", "allowed_networks", "prefix", "name")
_PLAN: Final = tuple(one.attname for one in Plan._meta.concrete_fields)  # noqa: SLF001 -- public by Django's word


def _stamp(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def keep_user(turn: Turn, user: User) -> None:
    """Remember a user, who was read with their subscription and its plan after ``turn`` began."""
    facts = {name: getattr(user, name) for name in _USER}
    facts |= {name: _stamp(getattr(user, name)) for name in _MOMENTS}
    facts |= {"proof": user.get_session_auth_hash(), "has_password": user.has_usable_password()}
    turn.keep({f"user:{user.pk}": facts}, life_s=USER_S)
    turn.keep({f"subscription:{user.pk}": _subscribed(user)}, life_s=SUBSCRIPTION_S)


def _subscribed(user: User) -> dict[str, Any]:
    try:
        row = user.subscription
    except Subscription.DoesNotExist:
        return {}
    return {
        "id": row.pk,
        "started_at": _stamp(row.started_at),
        "ends_at": _stamp(row.ends_at),
        "plan": _plan_facts(row.plan),
        "before": _plan_facts(row.plan_before),
    }


def _plan_facts(plan: Plan | None) -> dict[str, Any] | None:
    return {name: getattr(plan, name) for name in _PLAN} if plan is not None else None


def user(user_id: int) -> User | None:
    """Return a remembered user with subscription and plan; None where one must be read."""
    names = f"user:{user_id}", f"subscription:{user_id}"
    known = lookups.find(*names)
    if len(known) < len(names):
        return None
    facts, subscribed = (known[name] for name in names)
    moments = {name: _moment(facts[name]) for name in _MOMENTS}
    found = _row(User, {**{name: facts[name] for name in _USER}, **moments})
    found.proof, found.has_password = facts["proof"], facts["has_password"]
    found._state.fields_cache["subscription"] = _subscription(found, subscribed)  # noqa: SLF001 -- as select_related does
    return found


def _subscription(owner: User, facts: Mapping[str, Any]) -> Subscription | None:
    if not facts:
        return None
    moments = {name: _moment(facts[name]) for name in ("started_at", "ends_at")}
    plan = _row(Plan, facts["plan"])
    before = _row(Plan, facts["before"]) if facts["before"] else None
    ids = {"plan_id": plan.pk, "plan_before_id": before and before.pk}
    row = _row(Subscription, {"id": facts["id"], "user_id": owner.pk, **ids, **moments})
    row.user, row.plan, row.plan_before = owner, plan, before
    return row


def _row(model: type[Row], values: Mapping[str, Any]) -> Row:
    """Return a row as if it was read; what is not remembered of it is read when asked for."""
    names = [one.attname for one in model._meta.concrete_fields if one.attname in values]  # noqa: SLF001 -- public by Django's word
    return model.from_db(None, names, [values[name] for name in names])


def keep_key(turn: Turn, key: ApiKey) -> None:
    """Remember a key that holds, and whose it is."""
    facts = {name: getattr(key, name) for name in _KEY}
    facts["expires_at"] = _stamp(key.expires_at)
    turn.keep({f"key:{key.digest}": facts}, life_s=USER_S)
    keep_user(turn, key.user)


def key(digest: str, *, now: datetime) -> ApiKey | None:
    """Return a remembered key that holds now, with its user; None where it must be read."""
    facts = lookups.find(f"key:{digest}").get(f"key:{digest}")
    if facts is None:
        return None
    expires_at, owner = _moment(facts["expires_at"]), user(facts["user_id"])
    if owner is None or not owner.is_active or (expires_at and expires_at <= now):
        return None
    found = _row(ApiKey, {**{name: facts[name] for name in _KEY}, "expires_at": expires_at})
    found.user = owner
    return found


def keep_session(turn: Turn, session_key: str, facts: Mapping[str, Any]) -> None:
    """Remember what a session holds."""
    turn.keep({f"session:{session_key}": dict(facts)}, life_s=SESSION_S)


def session(session_key: str) -> dict[str, Any] | None:
    """Return what a session is remembered to hold."""
    found: dict[str, Any] | None = lookups.find(f"session:{session_key}").get(
        f"session:{session_key}"
    )
    return found


def forget_user(*user_ids: int | None) -> None:
    """Let users be read anew, with what they may: after any change of them."""
    lookups.forget(*(f"{kind}:{one}" for one in user_ids for kind in ("user", "subscription")))


def forget_plans() -> None:
    """Let everybody be read anew: after a change of a plan."""
    lookups.forget_all()


def forget_key(*digests: str) -> None:
    """Let keys be read anew: after any change of them."""
    lookups.forget(*(f"key:{digest}" for digest in digests))


def keep_seen(name: str, moment: datetime) -> None:
    """Remember, for all processes, when the last use of a device (a key or a browser) was written."""
    lookups.begin().keep({f"device:{name}": moment.isoformat()}, life_s=DEVICE_S)


def seen(name: str) -> datetime | None:
    """Return when the last use of a device was written, where that is remembered."""
    return _moment(lookups.find(f"device:{name}").get(f"device:{name}"))


def forget_session(*session_keys: str | None) -> None:
    """Let sessions be read anew: after they were saved or ended."""
    lookups.forget(*(f"session:{key}" for key in session_keys if key))
