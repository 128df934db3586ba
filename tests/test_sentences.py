"""The pages of wrong code are those of the corpus; sentences are read off the source."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


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


def test_strings_with_values_in_them_are_found():
    sentences = load("sentences")
    tree = ast.parse('def f(x):\n    """Doc of f."""\n    return f"it is {x} times what is due"')
    assert list(sentences.strings(tree)) == [("it is ", " times what is due")]
    assert sentences.is_said(("it is ", " times what is due"))
    assert not sentences.is_said(("c_skip",))
