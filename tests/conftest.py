"""Fixtures of the tests that treat the repository as a whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # of what tests share: browsing, causes


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def scoreproof():
    """Run the command line as a subprocess: ``scoreproof("verify", "tweedie", cwd=…)``."""

    def run(
        *arguments: str, cwd: Path = ROOT, timeout: float = 300, encoding: str = "utf-8"
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "200",
            "PYTHONIOENCODING": encoding,
        }
        return subprocess.run(
            [sys.executable, "-m", "scoreproof", *arguments],
            cwd=cwd,
            env=environment,
            capture_output=True,
            encoding=encoding,
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture
def in_process(capsys, monkeypatch):
    """The same in this process, where the process is not what is tested."""
    import numpy  # noqa: F401  # from here on a user's object is not judged in a fork

    from scoreproof import cli

    def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        capsys.readouterr()
        before = set(sys.modules)
        with monkeypatch.context() as context:
            context.setenv("COLUMNS", "200")
            context.chdir(cwd)
            context.syspath_prepend(str(cwd))
            try:
                status = cli.main(arguments)
            except SystemExit as error:  # argparse
                status = error.code
        for name in set(sys.modules) - before:  # the next test's module may have the same name
            file = str(getattr(sys.modules[name], "__file__", None))
            if cwd != ROOT and file.startswith(str(cwd)):
                del sys.modules[name]
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, status, out, err)

    return run


@pytest.fixture
def look():
    """Look at pages in a real browser: ``look(folder, ["index.html", …])``."""
    pytest.importorskip("playwright", reason="pip install '.[browser]'")
    pytest.importorskip("axe_playwright_python", reason="pip install '.[browser]'")
    from browsing import CHROMIUM, look_at

    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")

    def judge(folder: Path, pages: list[str], *, axe: bool = True) -> None:
        wrong = look_at(folder, pages, axe=axe)
        assert not wrong, "\n".join(wrong)

    return judge


@pytest.fixture
def browser_page(look, tmp_path):
    """A tab with a page in it: ``browser_page(text, java_script_enabled=False)``."""
    from browsing import CHROMIUM
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])

        def opened(text: str, **options: Any) -> Any:
            file = tmp_path / "page.html"
            file.write_text(text, "utf-8")
            tab = browser.new_context(**options).new_page()
            tab.goto(file.as_uri())
            return tab

        yield opened
        browser.close()
