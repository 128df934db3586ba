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
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "py" / "scoreproof"
PAGES = ROOT / "docs" / "sentences"
#: the folders whose strings are said, in the order of the page, and what they are called there
SPOKEN = ("public", "causes", "interop", "objects")
HOLE = "…"
#: what `str.format` fills in later
FIELD = re.compile(r"\{\w*(?::[^{}]*)?\}")
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
    def longest(self) -> str:
        return max(self.parts, key=len)

    def is_in(self, text: str) -> bool:
        """Whether the stretches stand in the text, in their order."""
        at = 0
        for part in self.parts:
            at = text.find(part, at)
            if at < 0:
                return False
            at += len(part)
        return True


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
        yield tuple(FIELD.split(node.value))
        return
    if isinstance(node, ast.JoinedStr):
        parts = [""]
        for value in node.values:
            if isinstance(value, ast.Constant):
                first, *more = FIELD.split(str(value.value))
                parts[-1] += first
                parts += more
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


@dataclass(frozen=True)
class Told:
    """A test, and whether it was told all that a check says or its cause alone."""

    test: str
    whole: bool


def examples(log: Path) -> dict[str, Told]:
    """What was said -> the first test to which it was said."""
    said: dict[str, Told] = {}
    for path in sorted(log.glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            test, text, whole = json.loads(line)
            if text not in said or test < said[text].test:
                said[text] = Told(test, whole)
    return said


class Heard:
    """What was said as one text, whole explanations first and the shortest of them: one search a
    sentence, not one a pair.
    """

    def __init__(self, said: dict[str, Told]) -> None:
        self.texts = sorted(said, key=lambda t: (not said[t].whole, len(t), t))
        self.starts = list(accumulate((len(t) + 1 for t in self.texts[:-1]), initial=0))
        self.all = "\0".join(self.texts)

    def first(self, sentence: Sentence) -> str | None:
        """The first text that has the sentence."""
        at = self.all.find(sentence.longest)
        while at >= 0:
            index = bisect_right(self.starts, at) - 1
            if sentence.is_in(self.texts[index]):
                return self.texts[index]
            if index + 1 == len(self.texts):
                break
            at = self.all.find(sentence.longest, self.starts[index + 1])
        return None


def pages(said: dict[str, Told]) -> dict[str, str]:
    """The catalogue as Markdown, a page a check (or what the checks share)."""
    heard = Heard(said)
    bodies: dict[str, list[str]] = {}
    without: dict[str, int] = {}
    for sentence in sentences():
        page = page_of(sentence.path)
        example = heard.first(sentence)
        entry = [f"- `{_plain(sentence.text)}`"]
        if example is None:
            without[page] = without.get(page, 0) + 1
            entry.append("  No test is told this yet.")
        else:
            entry += [f"  > {_around(example, sentence)}", f"  <br>{_plain(said[example].test)}"]
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
    found = re.search(re.escape(_plain(sentence.longest)), text)
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
