"""The buffers of a module (running statistics, power iterations, moving averages): put back after
every call, so that each call is asked of the same function.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

__all__ = ["Buffer", "changed", "put_back", "rewound", "snapshot", "writers"]

#: One buffer: its module, its name there, its full name, the tensor, and a copy of its numbers.
Buffer = tuple[Any, str, str, Any, Any]


def snapshot(thing: Any) -> list[Buffer]:
    """The buffers of a module as they are; of anything else, none."""
    if not hasattr(thing, "named_modules"):
        return []
    return [
        (m, name, f"{path}.{name}" if path else name, b, b.detach().clone())
        for path, m in thing.named_modules()
        for name, b in m._buffers.items()
        if b is not None
    ]


def changed(before: Sequence[Buffer]) -> list[str]:
    """The full names of the buffers that are not what they were."""
    return [full for m, name, full, b, old in before if _moved(m._buffers.get(name), old)]


def _moved(now: Any, old: Any) -> bool:
    if now is None or now.shape != old.shape:
        return True
    return not bool(((now == old) | ((now != now) & (old != old))).all())


@contextmanager
def put_back(thing: Any) -> Iterator[list[Buffer]]:
    """Whatever is called inside, the buffers are afterwards what and where they were."""
    before = snapshot(thing)
    try:
        yield before
    finally:
        for m, name, _, b, old in before:
            m._buffers[name] = b
            b.detach().copy_(old)


def rewound(buffers: Sequence[Buffer]) -> None:
    """Put the numbers back without autograd's notice, which would refuse the backward."""
    for m, name, _, b, old in buffers:
        m._buffers[name] = b
        b.data.copy_(old)


def writers(torch: Any, thing: Any, given: Sequence[Any]) -> set[Any]:
    """The modules of the user's own that write their buffers in forward: torch.fx can neither
    follow that nor leave it undone, so each becomes one node; or all becomes one, where one of them
    is called again and reads what it wrote. One call, if there are any buffers.
    """
    own = {
        m
        for m in (thing.modules() if isinstance(thing, torch.nn.Module) else ())
        if m._buffers and not type(m).__module__.startswith("torch.nn")
    }
    if not own:
        return set()
    calls: list[Any] = []
    hooks = [m.register_forward_pre_hook(lambda m, _: calls.append(m)) for m in own]
    with put_back(thing) as before:
        try:
            with torch.no_grad():
                thing(*[x.detach().clone() for x in given])
        except Exception:  # said where it is asked for its value
            return set()
        finally:
            for hook in hooks:
                hook.remove()
        moved = set(changed(before))
    found = {m for m, _, full, _, _ in before if full in moved and m in own}
    return {thing} if any(calls.count(m) > 1 for m in found) else found
