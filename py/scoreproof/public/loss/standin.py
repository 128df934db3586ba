"""The model that a loss is given: it answers what it is told to, and keeps what it was asked.

Conventions: rows are flat ``(B, d)``; a call's label is ``(B,)``, or ``None`` where the model is
told no time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from scoreproof.errors import CallableError, ScoreproofError
from scoreproof.interop.callables import as_numpy
from scoreproof.public.called import LEVELS, TIMES

__all__ = [
    "Asked",
    "DifferentiatedError",
    "MOST",
    "SPARE",
    "Script",
    "label_of",
    "numpy_model",
    "recorded",
    "shaped",
    "told",
]

#: what is answered for a learned variance
SPARE = 0.1
#: calls of the model in one loss that a gradient is kept of
MOST = 4
INPUTS = (
    "x",
    "x_t",
    "xt",
    "sample",
    "z",
    "z_t",
    "input",
    "inputs",
    "noisy",
    "img",
    "hidden_states",
    "noisy_latents",
)
WHEN = (*TIMES, *LEVELS, "s", "c")


class DifferentiatedError(ScoreproofError):
    """The loss differentiates the model in x, which a stand-in cannot answer. ``forward``: as a
    function, not for the gradient in the data that score matching takes.
    """

    def __init__(self, forward: bool = False) -> None:
        super().__init__("the loss differentiates its model in what it is asked at")
        self.forward = forward


@dataclass(eq=False)
class Asked:
    """One call of the model. ``leaf``: what it answered, where a gradient is kept of it."""

    x: np.ndarray
    label: np.ndarray | None
    leaf: Any = None
    gradient: np.ndarray | None = None


@dataclass(eq=False)
class Script:
    """``answers`` ``(B, d)``, in the shape of a sample ``shape``; ``doubled``: as many channels
    more, of a learned variance, are answered after them, all ``spare``. ``others``: what is added
    to the answers of each call. A network that is copied is the same to it.
    """

    answers: np.ndarray
    shape: tuple[int, ...]
    doubled: bool = False
    others: tuple[np.ndarray, ...] = ()
    spare: float = SPARE
    calls: list[Asked] = field(default_factory=list)

    def __deepcopy__(self, memo: Any) -> Script:
        return self

    @property
    def out_shape(self) -> tuple[int, ...]:
        return (self.shape[0] * (1 + self.doubled), *self.shape[1:])

    @property
    def answer(self) -> np.ndarray:
        """In the shape that the model answers in, ``(B, *out_shape)``."""
        return self.answer_of(len(self.calls))

    def answer_of(self, call: int) -> np.ndarray:
        """Of that call."""
        rows = len(self.answers)
        more = self.others[call] if call < len(self.others) else 0.0
        out = (self.answers + more).reshape(rows, *self.shape)
        return np.concatenate([out, self.spare + 0.0 * out], axis=1) if self.doubled else out

    def attributes(self) -> dict[str, Any]:
        """What training code reads off a network."""
        channels = self.shape[0]
        size = self.shape[-1]
        return {
            "channels": channels,
            "in_channels": channels,
            "out_channels": self.out_shape[0],
            "out_dim": self.out_shape[0],
            "input_channels": channels,
            "self_condition": False,
            "random_or_learned_sinusoidal_cond": False,
            "image_size": size,
            "seq_length": size,
            "learned_variance": self.doubled,
            "config": SimpleNamespace(in_channels=channels, sample_size=size),
        }


def told(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """What the model is asked at, and the time that it is told."""
    rest, named = list(args), dict(kwargs)
    x = rest.pop(0) if rest else next((named.pop(n) for n in INPUTS if n in named), None)
    when = next((named[n] for n in WHEN if named.get(n) is not None), None)
    if when is None:
        when = next((r for r in rest if _may_be_time(r)), rest[0] if rest else None)
    if isinstance(x, tuple | list) and len(x) == 2:  # a flow's network may take (t, x)
        x, when = x
    return x, when


def _conditioned(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    """Whether something that the model is conditioned on follows x_t as further channels."""
    same = len(shape) == len(whole) and shape[:1] + shape[2:] == whole[:1] + whole[2:]
    return same and shape[1] > whole[1]


def _may_be_time(value: Any) -> bool:
    """A number, or one for each sample: not what the model is conditioned on."""
    try:
        shape = tuple(np.shape(value))
    except (TypeError, ValueError):
        return False
    return value is not None and all(n == 1 for n in shape[1:])


def shaped(script: Script, x: Any, when: Any) -> tuple[Any, Any]:
    """The two the other way round where it is the time that comes first, as in torchdiffeq's
    fields; raises ``CallableError`` where neither is of the shape of the batch.
    """
    whole = (len(script.answers), *script.shape)
    if x is not None and tuple(np.shape(x)) != whole and tuple(np.shape(when)) == whole:
        x, when = when, x
    if x is not None and _conditioned(tuple(np.shape(x)), whole):
        x = x[:, : whole[1]]
    if x is None or tuple(np.shape(x)) != whole:
        got = "nothing" if x is None else f"shape {tuple(np.shape(x))}"
        raise CallableError(
            "loss",
            f"ask its model at x_t of the shape of the data, {whole}",
            f"it passed {got}",
            "the first axis is the batch, of another size each time perhaps; name the shape of one"
            " sample by shape=",
        )
    return x, when


def recorded(script: Script, x: Any, when: Any) -> Asked:
    """The call, kept."""
    rows = len(script.answers)
    flat = np.array(as_numpy(x), dtype=float).reshape(rows, -1)
    call = Asked(flat, label_of(when, rows))
    script.calls.append(call)
    return call


def label_of(when: Any, rows: int) -> np.ndarray | None:
    """What each of ``rows`` samples is told; ``None`` where that is no number of each."""
    if when is None:
        return None
    try:
        label = np.array(as_numpy(when), dtype=float).ravel()
    except (TypeError, ValueError):
        return None
    if label.size == 1:
        return np.full(rows, label[0])
    # a network may be told (B, 1, 1, 1), or the time at every pixel
    if not label.size or label.size % rows:
        return None
    each = label.reshape(rows, -1)
    return each[:, 0] if np.all(each == each[:, :1]) else None


def numpy_model(script: Script) -> Any:
    """For NumPy losses."""

    def model(*args: Any, **kwargs: Any) -> Any:
        x, when = shaped(script, *told(args, kwargs))
        answer = script.answer
        recorded(script, x, when)
        kind = np.asarray(x).dtype
        return answer.astype(kind if kind.kind == "f" else float)

    for name, value in script.attributes().items():
        setattr(model, name, value)
    return model
