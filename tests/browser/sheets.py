"""Pictures of every page of a running console, light, dark and on a phone, and sheets of them.

    python -m tests.browser.sheets http://127.0.0.1:8000 --password-file var/demo/admin-password

Says which pages complain in the browser's console, are wider than the screen, or have nothing on
them; exit status 1 if any does.
"""

import html
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.browser import touring
from tests.browser.looks import DESK, PHONE

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": DESK, "color_scheme": "light"},
    "dark": {"viewport": DESK, "color_scheme": "dark"},
    "phone": {"viewport": PHONE, "is_mobile": True, "has_touch": True},
}
SETTLE_MS = 600
PER_SHEET = {"light": 9, "dark": 9, "phone": 16}
TALLEST = 2_000
STYLE = """body{margin:12px;font:12px sans-serif;background:#777;display:grid;gap:12px;
grid-template-columns:repeat(%d,1fr)} figure{margin:0;background:#fff} figcaption{padding:3px 6px}
div{height:%dpx;overflow:hidden} img{width:100%%}"""


def picture(page: Page, address: str, path: Path) -> list[str]:
    """Take a picture of a page; return what is wrong with it."""
    said: list[str] = []
    page.on(
        "console",
        lambda told: said.append(told.text) if told.type in {"error", "warning"} else None,
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    answer = page.goto(address)
    page.wait_for_timeout(SETTLE_MS)
    if answer is None or not answer.ok:
        said.append(f"answered {answer.status if answer else 'nothing'}")
    beyond = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if beyond > 1:
        said.append(f"{beyond} px too wide")
    if not page.locator("#content").inner_text().strip():
        said.append("nothing on it")
    page.screenshot(path=path, full_page=True, clip=None)
    return said


def pictures(browser: Browser, asked: Any, state: Any, look: str) -> dict[str, list[str]]:
    """Take pictures of all pages in one look; return what is wrong, by page."""
    context = browser.new_context(base_url=asked.url, storage_state=state, **LOOKS[look])
    pages = asked.pages or touring.addresses(context)
    wrong = {}
    for address in pages:
        page = context.new_page()
        said = picture(page, address, asked.out / f"{touring.name_of(address)}-{look}.png")
        page.close()
        if said:
            wrong[f"{look} {address}"] = said
    context.close()
    return wrong


def sheets(browser: Browser, folder: Path, look: str) -> None:
    """Put the pictures of one look on sheets."""
    found = sorted(
        path for path in folder.glob(f"*-{look}.png") if not path.name.startswith("sheet")
    )
    columns, height = (8, 520) if look == "phone" else (3, 480)
    page = browser.new_page(viewport={"width": 1800, "height": 1200})
    for number in range(0, len(found), PER_SHEET[look]):
        figures = "".join(
            f"<figure><figcaption>{html.escape(path.stem)}</figcaption>"
            f"<div><img src='{path.name}'></div></figure>"
            for path in found[number : number + PER_SHEET[look]]
        )
        sheet = folder / "sheet.html"
        sheet.write_text(f"<style>{STYLE % (columns, height)}</style>{figures}")
        page.goto(sheet.as_uri())
        page.screenshot(
            path=folder / f"sheet-{look}-{number // PER_SHEET[look]:02}.png", full_page=True
        )
    page.close()


def main() -> int:
    parser = touring.arguments(__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("var/pictures"))
    parser.add_argument("--look", choices=LOOKS, action="append")
    parser.add_argument("--page", dest="pages", action="append", help="only this address")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    asked.out = asked.out.resolve()
    wrong: dict[str, list[str]] = {}
    with touring.browsing(asked) as (browser, state):
        for look in asked.look or LOOKS:
            wrong |= pictures(browser, asked, state, look)
            sheets(browser, asked.out, look)
    for address, said in wrong.items():
        print(address, *said, sep="\n  ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
