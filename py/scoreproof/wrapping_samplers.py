"""The lines of ``--wrap`` for a class that samples by itself, with the network that it holds.

Conventions: as in `wrapping`; ``o`` is the object. Names are those of public DDPM code.
"""

from __future__ import annotations

import inspect
from typing import Any

__all__ = ["NETWORKS", "sampler_lines"]

#: one step of a class that samples by itself, and what its network is called
STEPS = ("p_sample", "sample_step", "denoise_step")
NETWORKS = ("model", "denoise_fn", "net", "unet")
LEFT = 'x = x["sample"] if isinstance(x, dict) else x[0] if isinstance(x, tuple) else x'


def sampler_lines(thing: Any, library: str, needed: list[str]) -> list[str] | None:
    """The lines after the imports (``MADE`` is how ``o`` is made), or ``None`` where the object is
    taken whole. ``needed``: arguments of the class's constructor.
    """
    step = next((n for n in STEPS if callable(getattr(thing, n, None))), None)
    if step is None or inspect.isroutine(thing):
        return None
    names = _names(getattr(thing, step))
    given = bool(names) and names[0] in NETWORKS
    torch = library == "torch"
    lines = [""]
    asked = "model, x" if given else "x"
    time = "torch.full((len(x),), int(t))" if torch and given else "int(t)"
    if not given:
        own = next((n for n in NETWORKS if n in needed or hasattr(thing, n)), None)
        place = f"o.{own}" if own else "o.model"
        lines += _stand_in(torch, place, own in needed)
    else:
        lines += ["o = MADE", ""]
    lines += [
        "",
        "def sampler(model, x, times):",
        *([] if given else ["    exact.of = model"]),
        "    for t in times:",
        f"        x = o.{step}({asked}, {time})",
        f"        {LEFT}",
        "    return x",
        "",
        "",
        "mine = dict(",
        "    sampler=sampler,",
        "    process=DiscreteVP(np.asarray(o.betas, float)),",
        "    times=np.arange(len(o.betas) - 1, -1, -1),  # all of it: a step takes no stride",
        '    prediction="eps",  # what the network predicts: "eps", "x0" or "v"',
        "    exact=True,",
        *(['    framework="torch",'] if torch else []),
        ")",
    ]
    return lines


def _stand_in(torch: bool, place: str, constructed: bool) -> list[str]:
    """What stands where the network stood: the check's exact model."""
    base = "(torch.nn.Module)" if torch else ""
    call = "forward" if torch else "__call__"
    return [
        f"class Exact{base}:  # stands where the network stands",
        f"    def {call}(self, x, t, *rest, **options):",
        "        return self.of(x, t)",
        "",
        "",
        "exact = Exact()",
        "o = MADE",
        *([] if constructed else [f"{place} = exact"]),
        "",
    ]


def _names(member: Any) -> list[str]:
    try:
        return [n for n in inspect.signature(member).parameters if n != "self"]
    except (TypeError, ValueError):
        return []
