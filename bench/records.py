"""What a run that may be stopped has written so far: JSON, one line a result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["rows"]


def rows(path: Path) -> list[dict[str, Any]]:
    """The lines of one file; a line cut short by a stopped run is passed over."""
    found = []
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return found
