"""Stand-ins for packages that an audited one imports and that nothing judged here uses: torchvision
(it has no build that goes with the torch of the audits), wandb, clip and the like. Nothing of the
audited package is replaced.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from unittest.mock import MagicMock

__all__ = ["absent"]


class _Empty(ModuleType):
    """A module in which every name is there and does nothing."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock(name=f"{self.__name__}.{name}")


class _StandIns(MetaPathFinder, Loader):
    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> object:
        if fullname.split(".")[0] in self.names:
            return ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Empty(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


def absent(*names: str) -> None:
    """Let ``import name`` succeed where the package is not installed (an installed one is used)."""
    sys.meta_path.append(_StandIns(names))
