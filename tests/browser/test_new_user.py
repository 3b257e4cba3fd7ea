"""A new user's first day, as they live it: an account, a key, a limit and why, and the key taken back."""

import re
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from playwright.sync_api import Browser, Page, expect

from project.core import limits_counting
from tests.browser import serving
from tests.browser.looks import DESK, PHONE
from tests.browser.test_pages import is_narrow

EMAIL, FIRST, SECOND = "nova@example.com", "swamp-lantern-42", "marsh-lantern-77"
MAIL_WITHIN_S = 30


@pytest.fixture
def limited(
    transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Run a web process as people do: with its limits, its plans and its mails in files."""
    import_module("accounts.migrations.0004_first_plans").seed(apps, None)
    shared = limits_counting.here()._shared
    if shared is not None:
        shared.storage.reset()
    call_command("collectstatic", interactive=False, verbosity=0)
    for name, value in {
        "RATE_LIMIT_ENABLED": "true",
        "REGISTRATION": "open",
        "EMAIL_URL": "",
    }.items():
        monkeypatch.setenv(name, value)
    with serving.served(tmp_path / "web.log") as url:
        yield url


def link_of_the_mail(after: set[Path]) -> str:
    """Wait for a mail that was not there before, and return the address that it names."""
    until = time.monotonic() + MAIL_WITHIN_S
    while time.monotonic() < until:
        for path in sorted(mails() - after):
            found = re.search(r"https?://\S+(/password/reset/\S+)", path.read_text())
            if found and EMAIL in path.read_text():
                return found[1]
        time.sleep(0.05)
    raise AssertionError("no mail came")


def mails() -> set[Path]:
    return set((settings.DATA_DIR / "mail").glob("*"))


def ask(url: str, key: str) -> int:
    request = urllib.request.Request(
        f"{url}/api/auth/me", headers={"Authorization": f"Api-Key {key}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def picture(page: Page, name: str, folder: Path) -> None:
    """Look at a page in light and dark, on a desk and on a phone: nothing sticks out."""
    for look, size in (("light", DESK), ("dark", DESK), ("phone", PHONE)):
        page.emulate_media(color_scheme="dark" if look == "dark" else "light")
        page.set_viewport_size(size)
        page.screenshot(path=folder / f"account-{name}-{look}.png", full_page=True)
        assert is_narrow(page), (name, look)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(DESK)


def unlabelled(page: Page) -> list[str]:
    """Return the fields and buttons that tell a screen reader nothing."""
    script = """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea, button')]
        .filter((one) => !(one.labels?.length || one.textContent.trim() || one.ariaLabel))
        .map((one) => one.outerHTML)"""
    return list(page.evaluate(script))


def register(page: Page, folder: Path) -> None:
    page.goto("/register")
    picture(page, "register", folder)
    for password in ("12345678", FIRST):
        page.get_by_label("E-mail").fill(EMAIL)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Make an account").click()
        if password != FIRST:
            expect(page.get_by_role("alert").first).to_contain_text("too common")
    expect(page.get_by_role("status")).to_contain_text("Your account is ready")


def set_a_new_password_by_mail(page: Page, folder: Path) -> None:
    before = mails()
    page.get_by_role("link", name="Password forgotten?").click()
    picture(page, "forgotten", folder)
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("status")).to_contain_text("on its way")
    page.goto(link_of_the_mail(before))
    page.get_by_label("New password").fill(SECOND)
    page.get_by_role("button", name="Set it").click()
    expect(page.get_by_role("status")).to_contain_text("The new password holds")


def sign_in(page: Page, folder: Path) -> None:
    picture(page, "sign-in", folder)
    page.get_by_label("E-mail").fill(EMAIL)
    page.locator("input[name=password]").fill(SECOND)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/account")


def make_a_key(page: Page, folder: Path) -> str:
    page.get_by_label("What is it for?").fill("my loader")
    page.get_by_role("button", name="Make the key").click()
    key = page.locator("code.secret").inner_text()
    picture(page, "new-key", folder)
    return key


def see_why(page: Page, folder: Path) -> None:
    page.goto("/account")
    refused = page.locator("#refused")
    expect(refused).to_contain_text("my loader: 3, last at")
    expect(refused).to_contain_text("by the rule “api” (60 allowed)")
    expect(page.locator("code.secret")).to_have_count(0)
    expect(page.get_by_text("never", exact=True)).to_have_count(0)  # its use is told at once
    assert unlabelled(page) == []
    picture(page, "refused", folder)


def revoke_after_a_second_thought(page: Page, folder: Path) -> None:
    page.get_by_role("button", name="Revoke").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("turned away at once")
    page.screenshot(path=folder / "account-asked.png")
    page.get_by_role("button", name="Keep as it is").click()
    expect(dialog).to_have_count(0)
    page.get_by_role("button", name="Revoke").click()
    dialog.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("status")).to_contain_text("The key is revoked")


def test_new_user_makes_a_key_hits_a_limit_sees_why_and_revokes_it(
    browser: Browser, limited: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = Path(tmp_path_factory.getbasetemp()) / "pictures"
    folder.mkdir(exist_ok=True)
    context = browser.new_context(base_url=limited, viewport=DESK)
    page, said = context.new_page(), []
    page.on("pageerror", lambda error: said.append(str(error)))

    register(page, folder)
    set_a_new_password_by_mail(page, folder)
    sign_in(page, folder)
    key = make_a_key(page, folder)
    statuses = Counter(ask(limited, key) for _ in range(63))
    see_why(page, folder)
    revoke_after_a_second_thought(page, folder)
    after = ask(limited, key)
    page.get_by_role("link", name="Second factor").click()
    page.get_by_role("button", name="Set it up").click()
    expect(page.locator(".qr svg")).to_be_visible()
    picture(page, "second-factor", folder)
    context.close()

    assert statuses == {200: 60, 429: 3}
    assert after == 401
    assert said == []
