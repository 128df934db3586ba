"""Every sentence the checks can say, with an example of each: ``make sentences``.

The sentences are the strings of ``scoreproof/public`` (and of what it calls to read objects and to
name causes) that are more than names: read off the source, so that none is forgotten. The examples
are what the test suite was told while it ran, each with the test that produces it. A sentence
without an example is listed as such. ``tests/test_sentences.py`` holds the page to the source.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "py" / "scoreproof"
PAGES = ROOT / "docs" / "sentences"
#: the folders whose strings are said, in the order of the page, and what they are called there
SPOKEN = ("public", "causes", "interop", "objects")
HOLE = "…"
#: A string with fewer words, or no literal stretch of this length, is a name or a piece of one.
WORDS, STRETCH = 3, 12
LONGEST = 300


@dataclass(frozen=True)
class Sentence:
    """A string of the source with holes where values go in."""

    path: str
    parts: tuple[str, ...]  # the literal stretches, in order

    @property
    def text(self) -> str:
        return HOLE.join(self.parts)

    @property
    def pattern(self) -> str:
        return ".*?".join(re.escape(p) for p in self.parts)


def sentences() -> list[Sentence]:
    """All of them, by file and place."""
    found: dict[Sentence, None] = {}
    for folder in SPOKEN:
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            where = path.relative_to(PACKAGE).as_posix()
            for parts in strings(ast.parse(path.read_text("utf-8"))):
                if is_said(parts):
                    found[Sentence(where, parts)] = None
    return list(found)


def strings(tree: ast.AST) -> Iterator[tuple[str, ...]]:
    """The outermost string expressions that are no docstrings and no annotations."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        for name in ("annotation", "returns"):
            inner = getattr(node, name, None)
            if isinstance(inner, ast.AST):
                skipped.update(id(n) for n in ast.walk(inner))
    yield from _strings(tree, skipped)


def _strings(node: ast.AST, skipped: set[int]) -> Iterator[tuple[str, ...]]:
    if id(node) in skipped:
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield (node.value,)
        return
    if isinstance(node, ast.JoinedStr):
        parts = [""]
        for value in node.values:
            if isinstance(value, ast.Constant):
                parts[-1] += str(value.value)
            else:
                parts.append("")
        yield tuple(parts)
        for value in node.values:  # strings inside the holes are said as well
            if isinstance(value, ast.FormattedValue):
                yield from _strings(value.value, skipped)
        return
    for child in ast.iter_child_nodes(node):
        yield from _strings(child, skipped)


def is_said(parts: tuple[str, ...]) -> bool:
    text = " ".join(parts)
    words = re.findall(r"[^\W\d_]{2,}", text)
    return len(words) >= WORDS and max(map(len, parts)) >= STRETCH and " " in text.strip()


def examples(log: Path) -> dict[str, str]:
    """What was said -> the first test to which it was said."""
    said: dict[str, str] = {}
    for path in sorted(log.glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            test, text = json.loads(line)
            if text not in said or test < said[text]:
                said[text] = test
    return said


def pages(said: dict[str, str]) -> dict[str, str]:
    """The catalogue as Markdown, a page a check (or what the checks share)."""
    texts = sorted(said, key=lambda t: (len(t), t))
    bodies: dict[str, list[str]] = {}
    without: dict[str, int] = {}
    for sentence in sentences():
        page = page_of(sentence.path)
        example = next((t for t in texts if re.search(sentence.pattern, t, re.S)), None)
        entry = [f"- `{_plain(sentence.text)}`"]
        if example is None:
            without[page] = without.get(page, 0) + 1
            entry.append("  No test is told this yet.")
        else:
            entry += [f"  > {_around(example, sentence)}", f"  <br>{_plain(said[example])}"]
        bodies.setdefault(page, []).extend(entry)
    made = {}
    index = ["# Every sentence a check can say", "", *INTRODUCTION, ""]
    for page, body in bodies.items():
        number = sum(line.startswith("- `") for line in body)
        counts = f"{number} sentences, {without.get(page, 0)} of them without an example"
        index.append(f"- [{page}]({page}.md): {counts}")
        made[page] = "\n".join([f"# What {page} says", "", f"{counts}.", "", *body]) + "\n"
    return {"README": "\n".join(index) + "\n", **made}


def page_of(path: str) -> str:
    """The check's folder, or the package's."""
    parts = path.split("/")
    return parts[1] if parts[0] == "public" and len(parts) > 2 else parts[0]


INTRODUCTION = (
    "Generated by `make sentences`: the sentences from the source (… stands for a value), the",
    "examples from what the tests were told, each with the test that produces it.",
)


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("`", "'").strip()


def _around(example: str, sentence: Sentence) -> str:
    """The example, cut to what is near the sentence."""
    text = _plain(example)
    found = re.search(re.escape(_plain(max(sentence.parts, key=len))), text)
    at = found.start() if found else 0
    start = max(0, min(at - LONGEST // 2, len(text) - LONGEST))
    cut = text[start : start + LONGEST]
    return f"{'… ' if start else ''}{cut}{' …' if start + LONGEST < len(text) else ''}"


def main(log: Path) -> None:
    """Writes all pages."""
    PAGES.mkdir(exist_ok=True)
    for name, text in pages(examples(log)).items():
        (PAGES / f"{name}.md").write_text(text, "utf-8")
    print((PAGES / "README.md").read_text("utf-8"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
