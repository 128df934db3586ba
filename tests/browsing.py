"""A real browser's opinion of a folder of pages: Debian's Chromium, driven by Playwright.

On every page: nothing is written to the console, no request goes elsewhere or fails, every anchor
leads somewhere, nothing is wider than the screen, what scrolls sideways is cut neither above nor
below, and axe-core finds nothing.
"""

from __future__ import annotations

import shutil
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

__all__ = ["CHROMIUM", "look_at"]

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
#: Width and height: a desk, a tablet, a phone.
SCREENS = ((1440, 900), (768, 1024), (390, 844))
#: The theme's folded menus and its buttons that copy code are landmarks of one name; it makes
#: them in the browser.
THEIRS = '<nav class="md-'
SCHEMES = ("light", "dark")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def _served(folder: Path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def look_at(folder: Path, pages: list[str], *, axe: bool = True) -> list[str]:
    """What is wrong with ``pages`` of ``folder``, a line each. axe-core takes most of the time:
    up to four pages it looks at both ends of the widths, at colours at one of them; at more pages
    of one make by turns at one end; without ``axe`` at none.
    """
    from playwright.sync_api import sync_playwright

    wrong: list[str] = []
    with _served(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tabs = [_Tab(browser.new_page(color_scheme=scheme), address) for scheme in SCHEMES]
        ends = (SCREENS[0], SCREENS[-1])
        for k, name in enumerate(pages):
            end = ends[k // 2 % 2]
            widths = () if not axe else ends if len(pages) <= 4 else (end,)
            found = tabs[k % 2].look(name, widths, end)
            wrong += [f"{name} ({SCHEMES[k % 2]}): {w}" for w in found]
        browser.close()
    return wrong


class _Tab:
    """A tab in which one page after the other is looked at."""

    def __init__(self, tab: Any, address: str) -> None:
        self.tab, self.address = tab, address
        self.wrong: list[str] = []
        tab.on("console", lambda message: self.wrong.append(f"the console says {message.text}"))
        tab.on("pageerror", lambda error: self.wrong.append(f"an error: {error}"))
        tab.on("requestfailed", lambda request: self.wrong.append(f"{request.url} failed"))
        tab.on("request", self._requested)

    def _requested(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.wrong.append(f"a request to {urlparse(request.url).netloc}")

    def look(
        self, name: str, axe: tuple[tuple[int, int], ...], colours: tuple[int, int]
    ) -> list[str]:
        """``axe``: the sizes at which axe-core looks, and that at which it looks at colours too."""
        tab, self.wrong = self.tab, []
        wrong = self.wrong
        tab.goto(self.address + name)
        tab.add_style_tag(content=AT_ONCE)
        wrong += [f"no place for #{anchor}" for anchor in tab.evaluate(DEAD_ANCHORS)]
        for media in ("print", "screen"):
            tab.emulate_media(media=media)
            for width, height in SCREENS if media == "screen" else SCREENS[1:2]:
                tab.set_viewport_size({"width": width, "height": height})
                over = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
                if over > 0:
                    wrong.append(f"{over} px wider than a {media} of {width}")
                wrong += [f"at {width} {cut} is cut below" for cut in tab.evaluate(CUT_BELOW)]
                if media == "screen" and (width, height) in axe:
                    wrong += _unreachable(tab, width, (width, height) == colours)
        return wrong


def _unreachable(tab: Any, width: int, colours: bool) -> list[str]:
    """What axe-core finds: of every finding all places but the theme's own."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"resultTypes": ["violations"], "rules": {"color-contrast": {"enabled": colours}}}
    wrong = []
    for found in Axe().run(tab, options=options).response["violations"]:
        places = [node["html"] for node in found["nodes"]]
        if found["id"] == "landmark-unique":
            places = [place for place in places if not place.startswith(THEIRS)]
        if places:
            wrong.append(f"at {width}: {found['id']}, {len(places)} times: {places[0][:120]}")
    return wrong


#: the theme fades to the colours of another width: what is looked at is where they end
AT_ONCE = "*, *::before, *::after { transition: none !important; animation: none !important }"

DEAD_ANCHORS = """
[...document.querySelectorAll('a[href^="#"]')].map(a => a.getAttribute('href').slice(1))
  .filter(id => id && !document.getElementById(decodeURIComponent(id)))
"""

CUT_BELOW = """
[...document.querySelectorAll('.wide, .formula')]
  .filter(e => getComputedStyle(e).overflowY == 'hidden' && e.scrollHeight > e.clientHeight + 1)
  .map(e => e.getAttribute('aria-label'))
"""
