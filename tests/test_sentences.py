"""The pages of sentences are those of the source and of the corpus."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def load(name):
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def catalogue():
    pages = sorted((ROOT / "docs" / "sentences").glob("*.md"))
    return "".join(p.read_text("utf-8") for p in pages)


def test_every_sentence_of_the_source_is_in_the_catalogue(catalogue):
    sentences = load("sentences")
    listed = set(re.findall(r"^- `(.*)`$", catalogue, re.M))
    known = {sentences._plain(s.text) for s in sentences.sentences()}
    assert known == listed, f"run make sentences: {sorted(known ^ listed)[:5]}"


def test_an_example_contains_its_sentence(catalogue):
    sentences = load("sentences")
    entries = re.findall(r"^- `(.*)`\n  > (.*)$", catalogue, re.M)
    for text, example in entries:
        longest = max(text.split(sentences.HOLE), key=len)
        assert longest.strip() in example, text


def test_most_sentences_have_an_example_from_a_test_that_exists(catalogue):
    tests = re.findall(r"<br>(.*?)::(\w+)", catalogue)
    listed = len(re.findall(r"^- `", catalogue, re.M))
    assert len(tests) > 0.6 * listed
    for path, name in set(tests):
        assert re.search(rf"def {name}\b", (ROOT / path).read_text("utf-8")), f"{path}::{name}"


def test_the_pages_of_wrong_code_have_the_corpus():
    pages = sorted((ROOT / "docs" / "causes").glob("*.md"))
    text = "".join(p.read_text("utf-8") for p in pages)
    shown = set(re.findall(r"\[`(\w+)`\]\(\.\./\.\./tests/causes/", text))
    assert shown == {w.name for w in load("wrong_code").corpus()}


def test_strings_with_values_in_them_are_found():
    sentences = load("sentences")
    tree = ast.parse('def f(x):\n    """Doc of f."""\n    return f"it is {x} times what is due"')
    assert list(sentences.strings(tree)) == [("it is ", " times what is due")]
    assert sentences.is_said(("it is ", " times what is due"))
    assert not sentences.is_said(("c_skip",))
