"""Draw the pictures of the guides and of the first page: ``python docs/pictures.py``.

Runs each section that has a picture, as it stands, and draws what its last check with curves found.
A section whose package is not installed keeps the picture it has.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

import scoreproof
from scoreproof.plotting import as_svg

HERE = Path(__file__).resolve().parent
PAGES = ("index.md", "guides.md")
PICTURE = re.compile(
    r"^## (.+?)$.*?```python\n(.*?)```.*?!\[[^]]*\]\((pictures/[a-z-]+\.svg)\)", re.M | re.S
)


def pictured() -> list[tuple[str, str, str]]:
    """Title, code and the picture's path of every section that has one."""
    texts = [(HERE / page).read_text("utf-8") for page in PAGES]
    sections = [part for text in texts for part in re.split(r"^(?=## )", text, flags=re.M)]
    return [m.groups() for text in sections if (m := PICTURE.match(text))]


def found_by(code: str) -> list[Any]:
    """What the checks of a section returned, in their order."""
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


def main() -> None:
    for title, code, path in pictured():
        try:
            evidence = found_by(code)[-1]
        except BaseException as error:  # pytest's skip is no Exception
            print(f"{title}: kept ({type(error).__name__}: {error})")
            continue
        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        evidence.plot(figure.add_subplot())
        target = HERE / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(as_svg(figure), "utf-8")
        print(f"{title}: {os.path.relpath(target, HERE.parent)}")


if __name__ == "__main__":
    main()
