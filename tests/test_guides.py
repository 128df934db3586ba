"""The guides' tests run as they stand."""

from __future__ import annotations

import re

import pytest


def blocks(root):
    text = (root / "docs" / "guides.md").read_text("utf-8")
    return re.findall(r"^## (.+?)$.*?```python\n(.*?)```", text, re.M | re.S)


def test_there_are_guides(root):
    assert len(blocks(root)) >= 4


@pytest.mark.parametrize("index", range(4))
def test_guide_runs(root, index):
    _, code = blocks(root)[index]
    for package in ("torch", "jax"):
        if f"import {package}" in code:
            pytest.importorskip(package)
    namespace: dict = {}
    exec(compile(code, "docs/guides.md", "exec"), namespace)
    tests = [f for name, f in namespace.items() if name.startswith("test_")]
    assert tests
    for test in tests:
        test()
