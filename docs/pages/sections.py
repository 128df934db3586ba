"""The pictures of the guides and of the first page: what the last check of their code found."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File
from pytest import skip

import scoreproof
from pages.kept import kept
from scoreproof.plotting import as_svg, own_style

__all__ = ["drawn", "pictures", "sections"]

HERE = Path(__file__).resolve().parents[1]
PAGES = ("index.md", "guides.md")
PICTURE = re.compile(
    r"^## .+?$.*?```python\n(.*?)```.*?!\[[^]]*\]\((pictures/[a-z-]+\.svg)\)", re.M | re.S
)
LOG = get_plugin_logger("pictures")


def sections() -> dict[str, str]:
    """The code of every section that has a picture, by the picture's path in ``docs``."""
    texts = [(HERE / page).read_text("utf-8") for page in PAGES]
    parts = [part for text in texts for part in re.split(r"^(?=## )", text, flags=re.M)]
    return {m[2]: m[1] for part in parts if (m := PICTURE.match(part))}


def pictures(config: Any) -> list[File]:
    """The pictures of a build."""
    return [File.generated(config, path, content=svg) for path, svg in drawn().items()]


def drawn() -> dict[str, str]:
    """Each picture, made now, by its path in ``docs``. Where the code needs a package that is not
    installed there is none: the one in the tree, of the last machine that had it, stays.
    """
    made = {}
    for path, code in sections().items():
        try:
            made[path] = kept(Path(path).stem, code, _run)["picture"]
        except (ModuleNotFoundError, skip.Exception) as error:
            LOG.info(f"{path} is that of the tree: {error}")
    return made


def _run(code: str) -> dict[str, str]:
    with redirect_stdout(StringIO()):
        evidence = _found_by(code)[-1]
    with own_style():
        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        evidence.plot(figure.add_subplot())
        return {"picture": as_svg(figure)}


def _found_by(code: str) -> list[Any]:
    """What the checks of a section returned, in their order, when they have curves."""
    evidences: list[Any] = []
    names = [n for n in scoreproof.__all__ if n.startswith("check_")]
    checks = {n: getattr(scoreproof, n) for n in names}

    def noted(check: Any) -> Any:
        def judge(*args: Any, **kwargs: Any) -> Any:
            evidences.append(check(*args, **kwargs))
            return evidences[-1]

        return judge

    for name, check in checks.items():
        setattr(scoreproof, name, noted(check))
    try:
        namespace: dict[str, Any] = {}
        exec(compile(code, "docs", "exec"), namespace)
        for name, test in namespace.items():
            if name.startswith("test_"):
                test()
    finally:
        for name, check in checks.items():
            setattr(scoreproof, name, check)
    return [e for e in evidences if e.curves]
