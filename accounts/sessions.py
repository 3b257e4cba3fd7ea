"""Where sessions lie: in the database, and with Redis two minutes in the shared cache, too.

The settings name it as the session engine. Rows name their user, so that a session, its user and
their plan cost one query together.
"""

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from accounts import plans, recalling
from accounts.models import Session, User
from project.core import lookups

__all__ = ["CreateError", "SessionStore"]


class SessionStore(DatabaseStore):
    """A session; ``owner`` is its user, where loading it brought them along."""

    owner: User | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Return the rows of sessions."""
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Return the row of a session, which names its user."""
        row = super().create_model_instance(data)
        assert isinstance(row, Session)  # noqa: S101 -- of the model named above
        user_id = data.get(SESSION_KEY)
        row.user_id = int(user_id) if user_id else None
        return row

    def load(self) -> dict[str, Any]:
        """Return what the session holds: remembered, else read together with its user."""
        known = recalling.session(self.session_key) if self.session_key else None
        if known is not None and known["until"] > timezone.now().timestamp():
            self.owner = recalling.user(known["user_id"]) if known["user_id"] else None
            if self.owner is not None or not known["user_id"]:
                found: dict[str, Any] = known["data"]
                return found
        turn = lookups.begin()
        row = (
            Session.objects.select_related(*(f"user__{each}" for each in plans.WITH_USER))
            .filter(session_key=self.session_key or "", expire_date__gt=timezone.now())
            .first()
        )
        if row is None:
            self._session_key = None
            return {}
        self.owner = row.user
        data: dict[str, Any] = self.decode(row.session_data)
        until = row.expire_date.timestamp()
        facts = {"data": data, "user_id": row.user_id, "until": until}
        recalling.keep_session(turn, row.session_key, facts)
        if row.user is not None:
            recalling.keep_user(turn, row.user)
        return data

    async def aload(self) -> dict[str, Any]:
        """Return what the session holds."""
        return await sync_to_async(self.load)()

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002 -- Django's signature
        """Write the row; what was remembered of it is forgotten."""
        super().save(must_create=must_create)
        recalling.forget_session(self.session_key)

    def delete(self, session_key: str | None = None) -> None:
        """End the session at once, everywhere."""
        ended = session_key or self.session_key
        super().delete(session_key)
        recalling.forget_session(ended)

    async def asave(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002 -- Django's signature
        """Write the row."""
        await sync_to_async(self.save)(must_create=must_create)

    async def adelete(self, session_key: str | None = None) -> None:
        """End the session at once, everywhere."""
        await sync_to_async(self.delete)(session_key)
