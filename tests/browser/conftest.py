"""A browser, a web process on the test's database, and pages that complain about what is not clean."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django_celery_beat.models import PeriodicTask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser import serving
from tests.browser.looks import BROWSERS, DESK, FLAGS, PHONE

PASSWORD = "a long enough secret"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(str(item.path)).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_path() -> str:
    """Return where a browser is; without one the tests are skipped, but fail in CI."""
    named = os.environ.get("BROWSER_PATH", "")
    found = next((path for path in (named, *BROWSERS) if path and Path(path).exists()), None)
    found = found or shutil.which("chromium")
    if found:
        return found
    reason = "no browser: install Debian's chromium or name one in BROWSER_PATH"
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="package")
def browser(browser_path: str) -> Iterator[Browser]:
    """Start the browser, for this package alone: its event loop would be in others' way."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    # playwright's loop runs in this thread, and Django would refuse queries beside it
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=browser_path, args=FLAGS)
        yield started
        started.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture(scope="package")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a web process on the test's database; give its address."""
    call_command("collectstatic", interactive=False, verbosity=0)
    with serving.served(tmp_path_factory.mktemp("server") / "web.log") as url:
        yield url


@pytest.fixture
def staff(transactional_db: None) -> Any:
    """Make a member of staff who may do everything, and drop the jobs that migrations seed."""
    PeriodicTask.objects.all().delete()
    return get_user_model().objects.create_superuser(email="ada@example.org", password=PASSWORD)


@pytest.fixture
def open_page(browser: Browser, server: str, staff: Any) -> Iterator[Callable[..., Page]]:
    """Open pages signed in; at the end each must have been clean."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(path: str = "/admin/", *, dark: bool = False, phone: bool = False) -> Page:
        context = browser.new_context(
            base_url=server,
            viewport=PHONE if phone else DESK,
            color_scheme="dark" if dark else "light",
            is_mobile=phone,
            has_touch=phone,
        )
        contexts.append(context)
        page = context.new_page()
        _listen(page, server, complaints)
        sign_in(page)
        if path != "/admin/":
            page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(page: Page) -> None:
    page.goto("/admin/login/?next=/admin/")
    page.fill("#id_username", "ada@example.org")
    page.fill("#id_password", PASSWORD)
    page.click("#login-form button[type=submit]")
    page.wait_for_url(re.compile(r"/admin/$"))


def _listen(page: Page, server: str, complaints: list[str]) -> None:
    """Note what a clean page never does: errors, broken addresses, requests that leave."""
    ours = re.compile(
        rf"({re.escape(server)}/|{re.escape(server.replace('http', 'ws', 1))}/|data:|blob:)"
    )

    def asked(request: Any) -> None:
        if not ours.match(request.url):
            complaints.append(f"left the server: {request.url}")

    def answered(response: Any) -> None:
        if response.status >= 400:
            complaints.append(f"{response.status} {response.url} on {page.url}")

    def said(message: Any) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(f"console {message.type}: {message.text} on {page.url}")

    page.on("request", asked)
    page.on("websocket", asked)
    page.on("response", answered)
    page.on("console", said)
    page.on("pageerror", lambda error: complaints.append(f"error: {error} on {page.url}"))
