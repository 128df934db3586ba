"""What running a piece of code gave: kept in ``build/pages`` for the package as it is now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["kept"]

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "build" / "pages"


def kept(name: str, text: str, run: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """``run(text)``, or what it gave before for the same text and the same package."""
    key = hashlib.sha256((_package() + text).encode()).hexdigest()[:16]
    file = KEPT / f"{name}-{key}.json"
    if not file.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        for old in KEPT.glob(f"{name}-{'?' * len(key)}.json"):
            old.unlink()
        file.write_text(json.dumps(run(text)), "utf-8")
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


@cache
def _package() -> str:
    sources = sorted((ROOT / "py" / "scoreproof").rglob("*.py"))
    return hashlib.sha256(b"".join(s.read_bytes() for s in sources)).hexdigest()
