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
from functools import cache
from itertools import accumulate
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs"))

from pages.plain import plain, read  # noqa: E402

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
#: Strings that nobody is told: formulas for the program to read, axes and curves of a plot.
PROGRAMS = ("public/sampler/causes/texts.py", "public/sampler/causes/twice.py")
TABLES, PLOTTED = ("NOISES",), ("labels", "along", "curves")


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
        return self.place(text)[1] >= 0

    def place(self, text: str) -> tuple[int, int]:
        """From where to where; ``(0, -1)`` if it does not stand there."""
        at, start = 0, 0
        for k, part in enumerate(self.parts):
            at = text.find(part, at)
            if at < 0:
                return 0, -1
            start = at if k == 0 else start
            at += len(part)
        return start, at


def sentences() -> list[Sentence]:
    """All of them, by file and place."""
    found: dict[Sentence, None] = {}
    for folder in SPOKEN:
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            where = path.relative_to(PACKAGE).as_posix()
            if where in PROGRAMS:
                continue
            for parts in strings(ast.parse(path.read_text("utf-8"))):
                parts = tuple(re.sub(r"\s+", " ", p).replace("`", "'") for p in parts)
                if is_said(parts):
                    found[Sentence(where, parts)] = None
    return list(found)


def strings(node: ast.AST) -> Iterator[tuple[str, ...]]:
    """The outermost string expressions that are no docstrings, annotations, programs or axes."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield tuple(_unbraced(part) for part in FIELD.split(node.value))
    elif isinstance(node, ast.JoinedStr):
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
                yield from strings(value.value)
    else:
        for child in _said_of(node):
            yield from strings(child)


def _unbraced(part: str) -> str:
    """As ``str.format`` leaves it: doubled braces are one."""
    return part.replace("{{", "{").replace("}}", "}")


def _said_of(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a node in which something may be said."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.keyword) and node.arg in PLOTTED:
        return
    table = isinstance(node, ast.Assign) and any(
        isinstance(t, ast.Name) and t.id in TABLES for t in node.targets
    )
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "ctx") or (table and name == "value"):
            continue
        for part in value if isinstance(value, list) else (value,):
            if isinstance(part, ast.AST):
                yield part


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
            if not (ROOT / test.split("::")[0]).is_file():  # a test that a test has written
                continue
            text = _plain(text)
            if text not in said or test < said[text].test:
                said[text] = Told(test, whole)
    return said


def kept() -> dict[str, Told]:
    """The examples of the pages as they are, but for those of tests that are gone."""
    said: dict[str, Told] = {}
    for path in sorted(PAGES.glob("*.md")):
        for _, example, test in entries(path.read_text("utf-8")):
            if example is not None and test is not None and _is_there(test):
                said[example] = Told(test, False)
    return said


@cache
def _is_there(test: str) -> bool:
    path, _, name = test.partition("::")
    file = ROOT / path
    return file.is_file() and f"def {name.partition('[')[0]}(" in file.read_text("utf-8")


def entries(page: str) -> list[tuple[str, str | None, str | None]]:
    """Sentence, example and test of each entry of a page."""
    found = []
    for entry in re.split(r"^- ", page, flags=re.M)[1:]:
        sentence, *rest = entry.splitlines()
        shown = [read(line[6:]) for line in rest if line.startswith("    > ")]
        tests = [line.strip()[1:-1] for line in rest if line.startswith("    `")]
        found.append((sentence[1:-1], *(v[0] if v else None for v in (shown, tests))))
    return found


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
    # the same few words stand in several checks: an example of the page's own goes first
    own = {
        page: Heard({text: told for text, told in said.items() if page in told.test})
        for page in dict.fromkeys(page_of(sentence.path) for sentence in sentences())
    }
    bodies: dict[str, list[str]] = {}
    counts: dict[str, list[int]] = {}
    path = ""
    for sentence in sentences():
        page = page_of(sentence.path)
        body, count = bodies.setdefault(page, []), counts.setdefault(page, [0, 0])
        if sentence.path != path:
            path = sentence.path
            body += [f"## {_title(path)}", ""]
        example = own[page].first(sentence) or heard.first(sentence)
        body.append(f"- `{sentence.text}`")
        count[0] += 1
        if example is None:
            count[1] += 1
            body += ["", "    No test is told this.", ""]
        else:
            quoted = plain(around(example, sentence))
            body += ["", f"    > {quoted}", "", f"    `{said[example].test}`", ""]
    made = {}
    index = ["# Every sentence a check can say", "", *INTRODUCTION, ""]
    for page, body in bodies.items():
        number, without = counts[page]
        said_of = f"{number} sentences" + (f", {without} without an example" if without else "")
        index.append(f"- [{page}]({page}.md): {said_of}")
        made[page] = "\n".join([f"# What {page} says", "", f"{said_of}.", "", *body])
    return {"README": "\n".join(index) + "\n", **made}


def _title(path: str) -> str:
    """The module, by the first sentence of its docstring."""
    doc = ast.get_docstring(ast.parse((PACKAGE / path).read_text("utf-8"))) or path
    return re.sub(r"\s+", " ", doc.split("\n\n")[0]).strip()


def page_of(path: str) -> str:
    """The check's folder, or the package's."""
    parts = path.split("/")
    return parts[1] if parts[0] == "public" and len(parts) > 2 else parts[0]


INTRODUCTION = (
    "Generated by `make sentences`: the sentences from the source, room by room (… stands for a",
    "value), the examples from what the tests were told, each with the test that produces it.",
)


def _plain(text: str) -> str:
    """On one line, without paths of the machine that said it."""
    text = re.sub(r"(?<!\S)('?)(?:/[\w.+-]+){2,}/", r"\1…/", text)
    return re.sub(r"\s+", " ", text).replace("`", "'").strip()


def around(example: str, sentence: Sentence) -> str:
    """The example, cut to the sentence and what is near it."""
    start, end = sentence.place(example)
    room = max(0, LONGEST - (end - start)) // 2
    first, last = max(0, start - room), min(len(example), end + room)
    before, after = "… " if first else "", " …" if last < len(example) else ""
    return f"{before}{example[first:last]}{after}"


def main(log: Path, fresh: bool) -> None:
    """Writes all pages. Unless ``fresh``, examples of the pages are kept where they still fit."""
    PAGES.mkdir(exist_ok=True)
    said = {**({} if fresh else kept()), **examples(log)}
    for name, text in pages(said).items():
        (PAGES / f"{name}.md").write_text(text, "utf-8")
    print((PAGES / "README.md").read_text("utf-8"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--fresh" in sys.argv[2:])
