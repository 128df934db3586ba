"""A check of code that is written in PyTorch or JAX, where nobody said so.

Conventions: NumPy arrays go in first, as much code takes them and turns them into its own; a check
that reads the library off the code by itself is asked with NumPy's where that was no answer.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.interop.library import library_of

__all__ = ["asked_in_its_library"]

#: what code of another library says of NumPy's arrays
STRANGE = ("ndarray", "must be Tensor")


def asked_in_its_library(
    check: Callable[..., Evidence],
    signature: inspect.Signature,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> Evidence:
    """The check's evidence; where NumPy arrays were no answer, that in the library which the code
    names. Raises what the check raises.
    """
    try:
        return check(*args, **kwargs)
    except CallableError as error:
        given = signature.bind_partial(*args, **kwargs).arguments
        if "framework" not in signature.parameters or given.get("framework") is not None:
            raise
        found = (library_of(v) for v in given.values() if callable(v))
        other = next((name for name in found if name != "numpy"), None)
        if other is None or other not in sys.modules:
            raise
        if signature.parameters["framework"].default is None:  # it was asked in that already
            other = "numpy"
        try:
            return check(*args, **{**kwargs, "framework": other})
        except Exception as second:
            telling = isinstance(second, CallableError) and other != "numpy"
            if telling and any(words in str(error) for words in STRANGE):
                raise
            raise error from None
