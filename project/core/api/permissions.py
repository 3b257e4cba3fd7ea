"""What a caller may do: one class per part of the API, named by the views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission

from project.core.api.callers import caller_of

if TYPE_CHECKING:  # named in REST_FRAMEWORK settings: importing views here would be a cycle
    from rest_framework.request import Request
    from rest_framework.views import APIView


class DenyAll(BasePermission):
    """The default: a view that names no permission answers nobody."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return False


class Anybody(BasePermission):
    """Everybody, known or not."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return True


class IsKnown(BasePermission):
    """Anybody who signed in or showed a key."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return caller_of(request).is_known


class IsStaff(BasePermission):
    """Staff by cookie, or a staff user's key with scope ``admin``."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return caller_of(request).is_staff


class _InApp(BasePermission):
    """Scope ``<app>:read`` for safe methods, ``<app>:write`` for the others."""

    app = ""

    def has_permission(self, request: Request, view: APIView) -> bool:
        verb = "read" if request.method in SAFE_METHODS else "write"
        return caller_of(request).may(f"{self.app}:{verb}")


class InProxies(_InApp):
    """May read, or take and return, proxies."""

    app = "proxies"


class InMarkets(_InApp):
    """May read, or change, markets."""

    app = "markets"


class InAnalysis(_InApp):
    """May read, or submit, analyses."""

    app = "analysis"


class InAccounts(_InApp):
    """May read, or change, the own account."""

    app = "accounts"
