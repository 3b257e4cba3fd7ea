"""The pages of a running console: those of its side bar, and of the first row of each list."""

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.looks import BROWSERS, FLAGS

LINKS = "links => links.map(link => link.getAttribute('href'))"


def arguments(about: str) -> argparse.ArgumentParser:
    """Return the arguments that scripts over a running console have in common."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("url", help="e.g. http://127.0.0.1:8000")
    parser.add_argument("--user", default="admin@localhost")
    parser.add_argument("--password-file", type=Path, default=Path("var/demo/admin-password"))
    return parser


@contextmanager
def browsing(asked: argparse.Namespace) -> Iterator[tuple[Browser, Any]]:
    """Start a browser and sign in; give it, and the cookies of whoever signed in."""
    found = next(path for path in BROWSERS if Path(path).exists())
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=FLAGS)
        context = browser.new_context(base_url=asked.url)
        page = context.new_page()
        page.goto("/admin/login/?next=/admin/")
        page.fill("#id_username", asked.user)
        page.fill("#id_password", asked.password_file.read_text().strip())
        page.click("#login-form button[type=submit]")
        page.wait_for_url(re.compile(r"/admin/$"))
        yield browser, context.storage_state()
        browser.close()


def addresses(context: BrowserContext) -> list[str]:
    """Return the address of every page of the console: lists, forms, and what a first row has."""
    page = context.new_page()
    page.goto("/admin/")
    found = _own(page, "#nav-sidebar a[href]")
    for address in [*found]:
        page.goto(address)
        rows = _own(page, "#result_list tbody tr:first-child a[href*='/change/']")[:1]
        adds = _own(
            page, "#content-main a[href$='/add/'], header a[href$='/add/'], #main a[href$='/add/']"
        )
        found += [*adds, *rows]
        if rows:
            bare = urlsplit(rows[0]).path
            found += [bare.replace("/change/", "/history/")]
    page.close()
    return list(dict.fromkeys(found))


def _own(page: Page, which: str) -> list[str]:
    """Return the console's own addresses among the links, each page's once."""
    links = page.locator(which).evaluate_all(LINKS)
    return list(dict.fromkeys(link for link in links if link.startswith("/admin/")))


def name_of(address: str) -> str:
    """Return a short name for a page, fit for a file: ``core-run-change``."""
    parts = urlsplit(address).path.removeprefix("/admin/").strip("/").split("/")
    kept = [part for part in parts if not re.fullmatch(r"[0-9a-f-]{36}|\d+|[0-9a-f]{32,}", part)]
    return "-".join(kept)[:70] or "dashboard"
