"""How a session's user is found: with the plan, in one query."""

from django.contrib.auth.backends import ModelBackend

from accounts.models import User


class SessionBackend(ModelBackend):
    """Django's own, but that a session's user comes with the plan that limits them."""

    def get_user(self, user_id: int) -> User | None:
        """Return the user of a session, unless they were locked out."""
        found = User.objects.select_related("subscription__plan").filter(pk=user_id).first()
        return found if found and self.user_can_authenticate(found) else None
