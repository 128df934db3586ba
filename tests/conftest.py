"""Fixtures of the tests that treat the repository as a whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def scoreproof():
    """Run the command line as a subprocess: ``scoreproof("verify", "tweedie", cwd=…)``."""

    def run(
        *arguments: str, cwd: Path = ROOT, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
        return subprocess.run(
            [sys.executable, "-m", "scoreproof", *arguments],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture(autouse=True)
def _torch_as_it_was():
    """No check leaves torch's default type changed, whatever the user's code did meanwhile."""
    yield
    torch = sys.modules.get("torch")
    assert torch is None or torch.get_default_dtype() is torch.float32
