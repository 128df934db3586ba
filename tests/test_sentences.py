"""The pages of wrong code are those of the corpus; sentences are read off the source."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]


@cache
def load(name):
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_pages_of_wrong_code_have_the_corpus():
    pages = sorted((ROOT / "docs" / "causes").glob("*.md"))
    text = "".join(p.read_text("utf-8") for p in pages)
    shown = set(re.findall(r"\[`(\w+)`\]\(\.\./\.\./tests/causes/", text))
    assert shown == {w.name for w in load("wrong_code").corpus()}


PAGES = ROOT / "docs" / "sentences"


@cache
def catalogue():
    """The pages' entries: page, sentence, example, test."""
    made = load("sentences")
    pages = sorted(p for p in PAGES.glob("*.md") if p.stem != "README")
    return [(p.stem, *entry) for p in pages for entry in made.entries(p.read_text("utf-8"))]


def test_what_is_quoted_stands_on_the_pages_as_it_is():
    """Not as Markdown: <lambda> would be an element, and the stars of a * b * c emphasis."""
    sys.path.insert(0, str(ROOT / "docs"))
    from pages.plain import plain, read

    quoted = [
        line.partition("> ")[2]
        for folder in ("causes", "sentences")
        for page in (ROOT / "docs" / folder).glob("*.md")
        for line in page.read_text("utf-8").splitlines()
        if line.lstrip().startswith("> ")
    ]
    assert len(quoted) > 4000
    assert [line for line in quoted if plain(read(line)) != line] == []


def test_the_catalogue_has_every_sentence_of_the_source():
    made = load("sentences")
    due = {(made.page_of(s.path), s.text) for s in made.sentences()}
    listed = {(page, sentence) for page, sentence, _, _ in catalogue()}
    remedy = "make sentences (or docs/sentences.py on what some tests are told)"
    assert due - listed == set(), remedy
    assert listed - due == set(), remedy


def test_examples_have_their_sentence_and_their_test():
    made = load("sentences")
    tests = {}
    for page, sentence, example, test in catalogue():
        if example is None:
            continue
        parts = tuple(sentence.split(made.HOLE))
        assert made.Sentence(page, parts).is_in(example), sentence
        path, name = re.match(r"([^:]+)::(\w+)", test).groups()
        if path not in tests:
            tests[path] = (ROOT / path).read_text("utf-8")
        assert f"def {name}(" in tests[path], test


def test_nearly_every_sentence_has_an_example():
    entries = catalogue()
    without = [f"{page}: {sentence}" for page, sentence, example, _ in entries if example is None]
    assert len(without) <= 0.03 * len(entries), without


def test_strings_with_values_in_them_are_found():
    sentences = load("sentences")
    tree = ast.parse('def f(x):\n    """Doc of f."""\n    return f"it is {x} times what is due"')
    assert list(sentences.strings(tree)) == [("it is ", " times what is due")]
    assert sentences.is_said(("it is ", " times what is due"))
    assert not sentences.is_said(("c_skip",))
