"""The adapter on docs/checks/backward.md sees `=` for `+=` in each rule of the page's engine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from scoreproof import check_backward

PAGE = Path(__file__).parents[1] / "docs" / "checks" / "backward.md"


def _verdict(overwriting: str | None) -> str:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    engine = next(b for b in blocks if "class Value" in b)
    adapter = next(b for b in blocks if "def test_my_walk" in b)
    if overwriting:
        start = engine.index(f"def {overwriting}")
        end = engine.index("return out", start)
        assert "+=" in engine[start:end]
        engine = engine[:start] + engine[start:end].replace("+=", "=") + engine[end:]
    names: dict[str, Any] = {"check_backward": check_backward, "pytest": pytest}
    exec(engine, names)
    exec(adapter.replace("assert check_backward", "return check_backward"), names)
    return str(names["test_my_walk"]().verdict)


@pytest.mark.parametrize("overwriting", [None, "__add__", "__mul__"], ids=str)
def test_the_pages_adapter_sees_an_overwritten_gradient(overwriting: str | None) -> None:
    assert _verdict(overwriting) == ("refuted" if overwriting else "holds")
