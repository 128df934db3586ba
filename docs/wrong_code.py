"""What the checks say of wrong code, by example: ``make sentences`` writes docs/causes/.

Every wrong subject of the corpus (tests/causes) with its cause and what its check says of it. The
suite runs each of them; ``tests/test_sentences.py`` holds the pages to the corpus.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
for folder in ("docs", "tests"):
    sys.path.insert(0, str(ROOT / folder))

from causes import Wrong, corpus  # noqa: E402
from pages.plain import plain  # noqa: E402

FOLDER = ROOT / "docs" / "causes"


def entry(subject: Wrong) -> list[str]:
    """A subject: its cause, where it stands, what is said of it."""
    file = inspect.getsourcefile(subject.run)
    line = inspect.getsourcelines(subject.run)[1]
    where = f"tests/causes/{Path(file or '').name}"
    text = plain(subject.rate().explanation)
    link = f"[`{subject.name}`](../../{where}#L{line})"
    lines = [f"## {plain(subject.cause)}", "", link, "", f"> {text}"]
    if subject.known is not None:
        lines += ["", f"The cause is not named: {plain(subject.known)}."]
    return [*lines, ""]


def page(check: str, subjects: list[Wrong]) -> str:
    """The page of one check."""
    lines = [
        f"# Wrong code, and what `{name_of(check)}` says of it",
        "",
        f"{len(subjects)} wrong subjects as people write them, each with its cause and what the",
        "check says of it. Made by `make sentences` from `tests/causes`, which the suite runs.",
        "",
    ]
    for subject in subjects:
        lines += entry(subject)
    return "\n".join(lines)


def name_of(check: str) -> str:
    """How the check is called."""
    return "check_denoiser(…, schedule=…)" if check == "network" else f"check_{check}"


def main(checks: list[str]) -> None:
    """Writes the pages of some checks, or all pages and their index."""
    FOLDER.mkdir(exist_ok=True)
    by_check: dict[str, list[Wrong]] = {}
    for subject in corpus(checks):
        if subject.needs is not None and importlib.util.find_spec(subject.needs) is None:
            raise SystemExit(f"{subject.needs} is needed for {subject.check}.{subject.name}")
        by_check.setdefault(subject.check, []).append(subject)
    index = ["# What the checks say of wrong code", ""]
    for check, subjects in by_check.items():
        (FOLDER / f"{check}.md").write_text(page(check, subjects), "utf-8")
        index.append(f"- [`{name_of(check)}`]({check}.md): {len(subjects)} wrong subjects")
    if checks:
        return
    (FOLDER / "README.md").write_text("\n".join(index) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
