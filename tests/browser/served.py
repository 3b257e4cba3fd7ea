"""The product's ASGI application, forgetful: tests empty the database under it.

Django remembers the numbers of content types for the life of a process; after each test they
are made anew, with other numbers.
"""

from typing import Any

from project.asgi import application as product

from django.contrib.contenttypes.models import ContentType  # isort: skip -- apps are ready now


async def application(scope: Any, receive: Any, send: Any) -> None:
    ContentType.objects.clear_cache()
    await product(scope, receive, send)
