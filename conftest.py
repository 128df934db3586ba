"""What holds in every test, of the package and of the repository."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture(autouse=True)
def _torch_as_it_was():
    """No check leaves torch's default type changed, whatever the user's code did meanwhile."""
    yield
    torch = sys.modules.get("torch")
    assert torch is None or torch.get_default_dtype() is torch.float32
