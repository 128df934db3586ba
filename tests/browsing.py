"""A real browser's opinion of a folder of pages: Debian's Chromium, driven by Playwright.

On every page: nothing is written to the console, no request goes elsewhere or fails, every anchor
leads somewhere, nothing is wider than the screen, and axe-core finds nothing.
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
    up to four pages it looks at both ends of the widths, at more of one make by turns at one end,
    without ``axe`` at none.
    """
    from playwright.sync_api import sync_playwright

    wrong: list[str] = []
    with _served(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        ends = (SCREENS[0], SCREENS[-1])
        for k, name in enumerate(pages):
            widths = ends if len(pages) <= 4 else ends[k // 2 % 2 :][:1]
            tab = browser.new_page(color_scheme=SCHEMES[k % 2])
            found = _look(tab, address, name, widths if axe else ())
            wrong += [f"{name} ({SCHEMES[k % 2]}): {w}" for w in found]
            tab.close()
        browser.close()
    return wrong


def _look(tab: Any, address: str, name: str, axe: tuple[tuple[int, int], ...]) -> list[str]:
    wrong: list[str] = []

    def requested(request: Any) -> None:
        if not request.url.startswith((address, "data:", "blob:")):
            wrong.append(f"a request to {urlparse(request.url).netloc}")

    tab.on("console", lambda message: wrong.append(f"the console says {message.text}"))
    tab.on("pageerror", lambda error: wrong.append(f"an error: {error}"))
    tab.on("requestfailed", lambda request: wrong.append(f"{request.url} failed"))
    tab.on("request", requested)
    tab.goto(address + name)
    wrong += [f"no place for #{anchor}" for anchor in tab.evaluate(DEAD_ANCHORS)]
    for media in ("print", "screen"):
        tab.emulate_media(media=media)
        for width, height in SCREENS if media == "screen" else SCREENS[1:2]:
            tab.set_viewport_size({"width": width, "height": height})
            over = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
            if over > 0:
                wrong.append(f"{over} px wider than a {media} of {width}")
            if media == "screen" and (width, height) in axe:
                wrong += _unreachable(tab, width)
    return wrong


def _unreachable(tab: Any, width: int) -> list[str]:
    """What axe-core finds."""
    from axe_playwright_python.sync_playwright import Axe

    wrong = []
    for found in Axe().run(tab).response["violations"]:
        if found["id"] == "landmark-unique" and found["nodes"][0]["html"].startswith(THEIRS):
            continue
        at = found["nodes"][0]["html"][:120]
        wrong.append(f"at {width}: {found['id']}, {len(found['nodes'])} times: {at}")
    return wrong


DEAD_ANCHORS = """
[...document.querySelectorAll('a[href^="#"]')].map(a => a.getAttribute('href').slice(1))
  .filter(id => id && !document.getElementById(decodeURIComponent(id)))
"""
