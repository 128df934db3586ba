"""A user's callable behind a guard: called in the caller's process, counted, and judged before its
numbers are used.

The guard turns every way in which a callable can fail to be judged (it raises, returns another
shape, an object, NaN, changes its input, or is not a function of its input) into one
`CallableError` that names it and the remedy.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.interop.signatures import written_signature

__all__ = [
    "Guarded",
    "as_numpy",
    "raised",
    "remedy_for",
    "rounded_before",
    "to_float",
    "unit_roundoff",
]

LONGEST = 60
DOUBLE = float(np.finfo(float).eps)


def as_numpy(value: Any) -> np.ndarray:
    """``value`` (NumPy, PyTorch, JAX, number, nested list) as a NumPy array of its own dtype.

    A tensor is detached and brought to the CPU; bfloat16, which NumPy lacks, becomes float32.
    """
    if isinstance(value, np.ndarray):
        # a type that NumPy does not have itself is of kind V; its name is dear
        strange = value.dtype.kind == "V" and value.dtype.name == "bfloat16"
        return value.astype(np.float32) if strange else value
    for step in ("detach", "cpu"):
        if hasattr(value, step):
            value = getattr(value, step)()
    if hasattr(value, "resolve_conj"):
        value = value.resolve_conj().resolve_neg()
        # forward mode hands back zeros that have no storage, which NumPy cannot look into
        if value._is_zerotensor():
            value = value.clone()
    if str(getattr(value, "dtype", "")) == "torch.bfloat16":
        value = value.float()
    array = np.asarray(value)
    strange = array.dtype.kind == "V" and array.dtype.name == "bfloat16"
    return array.astype(np.float32) if strange else array


def unit_roundoff(array: Any) -> float:
    """The spacing of numbers at 1 in the floating type of a NumPy, PyTorch or JAX array; 0 for
    other types.

    >>> unit_roundoff(np.zeros(1, np.float32)) == 2.0**-23
    True
    """
    return _roundoff(array.dtype)


#: a table has so many entries or more; and the last bits of float32's 24 that a number which is no
#: rounded one seldom uses
ENTRIES, LAST_BITS = 8, 6


def rounded_before(values: np.ndarray) -> bool:
    """Whether a table of double precision is one of float32, converted: all its entries are numbers
    of float32, and most of them need its last bits, which 0.5 and 0.25 do not.

    >>> rounded_before(np.linspace(1e-4, 0.02, 50)), rounded_before(np.linspace(0, 1, 65))
    (False, False)
    >>> rounded_before(np.linspace(1e-4, 0.02, 50).astype(np.float32).astype(float))
    True
    """
    if values.dtype != np.float64 or values.size < ENTRIES:
        return False
    with np.errstate(all="ignore"):
        narrow = values.astype(np.float32)
    if not np.array_equal(narrow, values):
        return False
    low = np.frexp(narrow)[0] * 2.0 ** (24 - LAST_BITS)
    return bool(np.mean(low != np.round(low)) > 0.5)


@lru_cache(maxsize=64)
def _roundoff(given: Any) -> float:
    name = str(given).removeprefix("torch.")
    if name == "bfloat16":
        return 2.0**-7
    try:
        dtype = np.dtype(name)
    except TypeError:
        return 0.0
    return float(np.finfo(dtype).eps) if dtype.kind in "fc" else 0.0


def to_float(
    argument: str, value: Any, *, shape: tuple[int | None, ...] | None = None
) -> np.ndarray:
    """``value`` as a finite float64 array, optionally of the given shape (``None`` = any length).

    Raises ``ArgumentError`` naming ``argument`` when it is not numeric, not finite or of another
    shape.
    """
    try:
        given = as_numpy(value)
        if np.iscomplexobj(given):
            raise TypeError("complex numbers")
        array = np.asarray(given, dtype=float)
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            argument,
            "an array of real numbers",
            type(value).__name__,
            "convert it with numpy.asarray first",
        ) from error
    if shape is not None and (
        array.ndim != len(shape)
        or any(w is not None and w != g for w, g in zip(shape, array.shape, strict=True))
    ):
        wanted = (
            "("
            + ", ".join("nd"[min(i, 1)] if w is None else str(w) for i, w in enumerate(shape))
            + ("," if len(shape) == 1 else "")
            + ")"
        )
        remedy = "points are rows; reshape it" if len(shape) == 2 else "reshape it"
        remedy = "one number for each: a flat list" if len(shape) == 1 else remedy
        raise ArgumentError(argument, f"of shape {wanted}", f"shape {array.shape}", remedy)
    if not np.all(np.isfinite(array)):
        bad = array[~np.isfinite(array)].ravel()[0]
        raise ArgumentError(argument, "finite", bad, "remove the rows that hold nan or inf")
    return array


def raised(error: BaseException, function: Any, how: str = "") -> str:
    """``it raised TypeError: …``; ``how`` it was called, and its signature where that may help."""
    text = f"it raised {type(error).__name__}: {error}{how}"
    if isinstance(error, TypeError):
        text += f"; its signature is {written_signature(function)}"
    return text


def remedy_for(
    error: BaseException,
    otherwise: str = "call it once by hand with these arguments",
    eps: float = DOUBLE,
) -> str:
    """What most probably helps against an exception out of a user's callable; ``eps``: the roundoff
    of what it was given.

    >>> remedy_for(RuntimeError("expected the same dtype, got float != double"), eps=2.0**-23)
    'pass dtype="float64" (or the floating type that it takes)'
    """
    text = str(error)
    if "dtype" in text or "expected scalar type" in text:
        other = "float32" if eps <= DOUBLE else "float64"
        return f'pass dtype="{other}" (or the floating type that it takes)'
    if isinstance(error, TypeError) and (
        "ndarray" in text and "Tensor" in text or "must be Tensor" in text
    ):
        return 'pass framework="torch"'
    if isinstance(error, TypeError) and "object is not callable" in text:
        return (
            "it calls an argument that is no function: it expects them in another order, or another"
            " one there"
        )
    if isinstance(error, TypeError) and "positional argument" in text:
        return "see the check's docstring for the arguments it is called with"
    if "Incompatible shapes for broadcasting" in text:  # JAX's words
        return (
            f"{otherwise}; a function of one sample and its t is to be mapped over them: jax.vmap"
        )
    return otherwise


def _shown(argument: Any) -> str:
    """An argument in a message: arrays by their shapes, functions as such."""
    if isinstance(argument, np.ndarray):
        return f"array{argument.shape}"
    if callable(argument):
        return f"the function {getattr(argument, '__name__', type(argument).__name__)}"
    text = repr(argument)
    return text if len(text) <= LONGEST and " at 0x" not in text else type(argument).__name__


class Guarded:
    """``function`` behind the guard. ``calls`` counts how often it ran; ``eps`` is the unit
    roundoff of what it returned.

    Parameters
    ----------
    function: the user's callable.
    name: how messages call it (``"denoiser"``).
    prepare: maps the NumPy arguments to what the callable takes (a torch tensor, say); the default
        passes copies, so a callable that changes its input cannot spoil the check and is reported.

    >>> double = Guarded(lambda x: 2 * x, "denoiser")
    >>> double(np.ones((2, 1)), shape=(2, 1)).tolist(), double.calls
    ([[2.0], [2.0]], 1)
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        *,
        prepare: Callable[[np.ndarray], Any] | None = None,
    ) -> None:
        if not callable(function):
            raise ArgumentError(
                name,
                "callable",
                type(function).__name__,
                f"pass a function, e.g. lambda …: …, as {name}",
            )
        self.function, self.name, self.prepare = function, name, prepare
        self.calls = 0
        self.eps = float(np.finfo(float).eps)
        #: what can differentiate it: "numpy" (nothing), "torch" or "jax"
        self.framework = "numpy"

    def raw(self, *arguments: Any) -> Any:
        """Call it once, guarding only against exceptions and changed inputs; returns what it
        returned.
        """
        given = [np.array(a, copy=True) if isinstance(a, np.ndarray) else a for a in arguments]
        passed = [
            self.prepare(a) if self.prepare is not None and isinstance(a, np.ndarray) else a
            for a in given
        ]
        # a callable fed in float32 computes in float32, whatever type it wraps its answer in
        self.eps = max([self.eps, *(unit_roundoff(a) for a in passed if hasattr(a, "dtype"))])
        self.calls += 1
        try:
            result = self.function(*passed)
        except (Exception, SystemExit) as error:  # a script's sys.exit() is no verdict
            shapes = ", ".join(map(_shown, arguments))
            raise CallableError(
                self.name,
                "return normally",
                raised(error, self.function, f" when called with ({shapes})"),
                remedy_for(error, eps=self.eps),
            ) from error
        for before, after in zip(arguments, passed, strict=True):
            if isinstance(before, np.ndarray) and not np.array_equal(
                before,
                (
                    as_numpy(after).astype(before.dtype, copy=False)
                    if self.prepare is None
                    else before
                ),
                equal_nan=True,
            ):
                raise CallableError(
                    self.name,
                    "leave its input unchanged",
                    "it wrote into the array it was given",
                    "work on a copy: x = x.copy()",
                )
        return result

    def __call__(self, *arguments: Any, shape: tuple[int, ...] | None = None) -> np.ndarray:
        """Call it and return a finite float64 (or complex128) array, broadcast to ``shape`` when
        one is given.
        """
        return self.accept(self.raw(*arguments), shape)

    def accept(
        self,
        result: Any,
        shape: tuple[int, ...] | None,
        part: str = "",
        *,
        finite: bool = True,
    ) -> np.ndarray:
        """Judge one returned array: numeric, broadcastable to ``shape``, finite (unless the caller
        looks after that). ``part`` names it in messages.
        """
        what = f"return {part or 'an array'}"
        if hasattr(result, "dtype"):
            self.eps = max(self.eps, unit_roundoff(result))
        try:
            array = as_numpy(result)
        except Exception as error:
            raise CallableError(
                self.name,
                f"{what} of numbers",
                f"it returned {type(result).__name__}",
                "return an array",
            ) from error
        if array.dtype.kind not in "fciub":
            raise CallableError(
                self.name,
                f"{what} of numbers",
                f"it returned {type(result).__name__} of dtype {array.dtype}",
                "return a float array",
            )
        if array.dtype.kind in "fc":
            self.eps = max(self.eps, float(np.finfo(array.dtype).eps))
        array = array.astype(complex if array.dtype.kind == "c" else float)
        if shape is not None:
            try:
                array = np.broadcast_to(array, shape)
            except ValueError:
                raise CallableError(
                    self.name,
                    f"{what} of shape {shape} (or one that broadcasts to it)",
                    f"it returned shape {array.shape}",
                    "points are rows: one row in, one row out",
                ) from None
        if finite and not np.all(np.isfinite(array)):
            count = int(np.size(array) - np.isfinite(array).sum())
            raise CallableError(
                self.name,
                f"{what} of finite numbers",
                f"{count} of {np.size(array)} entries are nan or inf",
                "evaluate it away from singular times and check for overflow",
            )
        return array

    def deterministic(self, *arguments: Any, shape: tuple[int, ...] | None = None) -> np.ndarray:
        """Call it twice and insist on the same answer (dropout left on, or hidden randomness, is
        the usual cause).
        """
        first, second = self(*arguments, shape=shape), self(*arguments, shape=shape)
        if not np.array_equal(first, second):
            gap = float(np.max(np.abs(first - second)))
            raise CallableError(
                self.name,
                "be deterministic",
                f"two calls with the same input differ by {gap:.3g}",
                "switch off dropout (model.eval()) and fix its random seed",
            )
        return first
