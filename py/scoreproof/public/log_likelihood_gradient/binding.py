"""The user's field, gradient and log p̂ as functions of one flat vector of parameters.

Conventions: as in `check`; the parameters are held as `holding` says, and handed over in the user's
form and place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.public.log_likelihood_gradient.answers import flat_rows
from scoreproof.public.log_likelihood_gradient.forms import FieldAsWritten
from scoreproof.public.log_likelihood_gradient.holding import (
    Held,
    Returned,
    Tree,
    Vector,
    named_tensors,
)
from scoreproof.public.log_likelihood_gradient.modules import Module, is_module
from scoreproof.public.log_likelihood_gradient.roles import asked_by, roles_of
from scoreproof.public.log_likelihood_gradient.trees import is_array, is_tree

__all__ = ["Asked", "Bound", "bound"]


@dataclass(frozen=True, eq=False)
class Bound:
    """``field(z, p, s)`` and, of the others, ``(x, p, nu)``, p a flat vector of the framework."""

    held: Held
    field: Callable[..., Any]
    gradient: Asked
    log_likelihood: Asked | None


def bound(
    field: Any, params: Any, gradient: Any, log_likelihood: Any, framework: str, given: Any
) -> Bound:
    """Raises ``ArgumentError``, naming the leaf where one is at fault."""
    for name, value in (("field", field), ("gradient", gradient)):
        if not callable(value) and not hasattr(value, "apply"):
            raise ArgumentError(
                name,
                "callable",
                type(value).__name__,
                f"pass a function, e.g. lambda …: …, as {name}",
            )
    held = _held(field, params, framework)
    return Bound(
        held,
        _field(field, held, given),
        Asked(gradient, held, "gradient", given),
        None if log_likelihood is None else Asked(log_likelihood, held, "log_likelihood", given),
    )


def _held(field: Any, params: Any, framework: str) -> Held:
    owner = getattr(field, "__self__", None)
    if params is None:
        params = owner if is_module(owner) or (owner is not None and is_tree(owner)) else field
        if not (is_module(params) or is_tree(params)):
            raise ArgumentError(
                "params",
                "what the gradient is taken in",
                "None, and field has no parameters of its own",
                "pass a vector, a module or a tree of arrays",
            )
    params = named_tensors(params)
    around = [m for m in (field, owner) if is_module(m)]
    if is_module(params):
        return Module(params, around)
    if _vector(params):
        return Vector(params, framework)
    if around and is_tree(params):
        module: Any = around[0]
        tree = Tree(params, "torch")
        own = {id(v) for v in module.parameters()}
        if tree.live and all(id(v) in own for v in tree.live.values()):
            return Module(module, around[1:], tree.live)
    return Tree(params, framework)


def _vector(params: Any) -> bool:
    """A flat vector, or what is to be one: numbers in a list, and what is no tree at all."""
    if is_array(params):
        return len(params.shape) < 2
    if isinstance(params, list | tuple) and not hasattr(params, "_fields"):
        return (
            not any(is_array(v) and len(v.shape) for v in params)
            and not any(is_tree(v) and not isinstance(v, list | tuple) for v in params)
            and not any(is_array(w) for v in params if isinstance(v, list | tuple) for w in v)
        )
    return not is_tree(params)


def _field(field: Any, held: Held, given: Any) -> Callable[..., Any]:
    said = asked_by(given, "field")
    owner = getattr(field, "__self__", None)
    inside = held.params is not None and (field is held.params or owner is held.params)
    of: Callable[[Any], Any]
    rows_first = True
    if held.params is not None and isinstance(held, Tree) and inside:
        rows_first = not _row_by_row(held.params)
        of = (lambda m: m) if owner is None else (lambda m: getattr(m, field.__name__))
        roles = roles_of(field, "field", True, said)
    elif _linen(field):
        return _of_linen(field, held, said)
    else:
        of = lambda m: field  # noqa: E731
        roles = roles_of(field, "field", isinstance(held, Module), said)
    if isinstance(held, Vector):
        return _in_order(field, roles)
    if not isinstance(held, Module) and not inside and "params" not in roles:
        raise ArgumentError(
            "field",
            "a function of the parameters too",
            f"one of {', '.join('t' if r == 's' else r for r in roles)}",
            "hand them over, field(z, params, t) or field(t, z, params), or pass the module that"
            " has them as params",
        )
    written = FieldAsWritten(of, roles, held.framework, rows_first)
    return lambda z, p, s: held.under(p, lambda params: written(z, params, s))


def _in_order(field: Callable[..., Any], roles: tuple[str, ...]) -> Callable[..., Any]:
    """Of a flat vector: nothing but the order may differ."""
    if roles == ("z", "params", "s"):
        return field

    def ordered(z: Any, params: Any, s: Any) -> Any:
        have = {"z": z, "params": params, "s": s}
        return field(*(have[role] for role in roles))

    return ordered


def _row_by_row(params: Any) -> bool:
    """equinox's layers take one point."""
    return any(c.__module__.split(".")[0] == "equinox" for c in type(params).__mro__)


def _linen(field: Any) -> bool:
    """A module of flax's linen, or its ``apply``."""
    module = getattr(field, "__self__", field)
    return hasattr(module, "apply") and hasattr(module, "init") and not is_module(module)


def _of_linen(field: Any, held: Held, said: Any) -> Callable[..., Any]:
    module = getattr(field, "__self__", field)
    roles = roles_of(
        module, "field", True, tuple(r for r in said if r != "params") if said else None
    )
    variables = held.params if isinstance(held.params, dict) or hasattr(held.params, "keys") else {}
    whole = "params" in variables

    def of(params: Any) -> Any:
        return lambda *arguments: module.apply(params if whole else {"params": params}, *arguments)

    written = FieldAsWritten(of, roles, held.framework)
    return lambda z, p, s: held.under(p, lambda params: written(z, params, s))


class Asked:
    """The gradient, or log p̂: asked with the parameters as they are."""

    def __init__(self, function: Any, held: Held, name: str, given: Any) -> None:
        self.function, self.held, self.name = function, held, name
        live = bool(getattr(held, "live", None))
        self.roles = roles_of(function, name, live, asked_by(given, name))

    def handed(self, x: Any, params: Any, nu: Any, **more: Any) -> Any:
        """What the user's function returns."""
        have = {"x": x, "params": params, "nu": nu}
        return self.function(*(have[role] for role in self.roles), **more)

    def __call__(self, x: Any, p: Any, nu: Any, **more: Any) -> Returned:
        return self.held.asked(lambda params: self.handed(x, params, nu, **more), p)

    def judged(self, returned: Returned, n: int) -> Any:
        """Of a gradient its rows, flat; of log p̂ what it is."""
        if returned.changed is not None:
            raise CallableError(
                self.name,
                "leave the parameters as they are",
                f"{returned.changed} was changed in the call",
                "leave the optimizer's step out of it",
            )
        if self.name != "gradient":
            return returned.answer
        return flat_rows(returned.answer, returned.left, self.held, n)

    def flattened(self, answer: Any, n: int) -> Any:
        """The rows of a gradient that was returned."""
        return flat_rows(answer, None, self.held, n)
