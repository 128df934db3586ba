"""Formulas as a step is written in code: evaluated and printed.

Conventions: a tree is a nested tuple ``(operation, operands…)``; a program is a tuple of statements
``(target, tree)`` in their order.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

__all__ = [
    "Program",
    "SIGNS",
    "Tree",
    "evaluated",
    "parsed",
    "places",
    "shown",
    "weight",
]

Tree = tuple[Any, ...]
Program = tuple[tuple[str, Tree], ...]
_BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_PLAIN: Mapping[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "neg": np.negative,
    # what is under a root is cut off at 0, as clamp(min=0) does
    "sqrt": lambda v: np.sqrt(np.maximum(v, 0.0)),
    "square": np.square,
    "exp": np.exp,
}
#: how names are printed
SIGNS = {
    "abar_t": "ᾱ_t",
    "abar_prev": "ᾱ_prev",
    "alpha_t": "α_t",
    "beta_t": "β_t",
    "a_t": "α_t",
    "a_next": "α_next",
    "sigma_t": "σ_t",
    "sigma_next": "σ_next",
    "sigma_hat": "σ̂",
    "sigma_hat_next": "σ̂_next",
    "sigma_up": "σ_up",
    "sigma_down": "σ_down",
    "a_down": "α_down",
    "eta": "η",
    "eps": "ε",
    "eps_2": "ε_2",
    "g2": "g²",
    "epsilon": "e",
    "mid_sigma": "σ_mid",
    "sigma_mid": "σ_mid",
    "k_23": "(out_2 + out_3)",
    **{f"o{j}": f"prev_{j}" for j in (1, 2, 3)},
    **{f"lms{n}_{j}": f"w_{j}" for n in (2, 3, 4) for j in range(1, n + 1)},
    **{
        f"{name}_{where}": f"{sign}_{{t{k}1}}"
        for name, sign in (("beta", "β"), ("alpha", "α"), ("abar", "ᾱ"), ("var", "var"))
        for where, k in (("before", "-"), ("after", "+"))
    },
    "var_table": "var of the table",
    "noise_t": "(1 - ᾱ_t)",
    "a_old": "α_{i-1}",
    "sigma_old": "σ_{i-1}",
    "h_log10": "h (by log10)",
    "h_log2": "h (by log2)",
}


def parsed(text: str) -> Program:
    """A program of its text, one statement a line.

    >>> parsed("y = a * x")
    (('y', ('*', ('name', 'a'), ('name', 'x'))),)
    """
    found = []
    for statement in ast.parse(text).body:
        assert isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
        found.append((statement.targets[0].id, _tree(statement.value)))
    return tuple(found)


def _tree(node: ast.expr) -> Tree:
    if isinstance(node, ast.Name):
        return ("name", node.id)
    if isinstance(node, ast.Constant):
        return ("number", float(node.value))  # type: ignore[arg-type]
    if isinstance(node, ast.UnaryOp):
        return ("neg", _tree(node.operand))
    if isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Name)
        return (node.func.id, _tree(node.args[0]))
    assert isinstance(node, ast.BinOp)
    if isinstance(node.op, ast.Pow):
        return ("square", _tree(node.left))
    return (_BINARY[type(node.op)], _tree(node.left), _tree(node.right))


def evaluated(
    program: Program,
    given: Mapping[str, Any],
    then: Mapping[str, Callable[[Any], dict[str, Any]]] | None = None,
) -> dict[str, Any]:
    """The values of all names, where those of ``given`` are known; ``then``: what becomes known
    with a name.
    """
    values = dict(given)
    with np.errstate(all="ignore"):
        for target, tree in program:
            values[target] = _value(tree, values)
            if then and target in then:
                values |= then[target](values[target])
    return values


def _value(tree: Tree, values: Mapping[str, Any]) -> Any:
    if tree[0] == "name":
        return values[tree[1]]
    if tree[0] == "number":
        return tree[1]
    return _PLAIN[tree[0]](*(_value(t, values) for t in tree[1:]))


def shown(tree: Tree, depth: int = 0) -> str:
    """As it is written in a paper.

    >>> shown(parsed("y = sqrt(1 - abar_t) * eps / beta_t**2")[0][1])
    '√(1 - ᾱ_t)·ε/β_t²'
    """
    op = tree[0]
    if op == "name":
        return SIGNS.get(tree[1]) or str(tree[1])
    if op == "number":
        return f"{tree[1]:g}"
    if op in ("sqrt", "square", "exp"):
        inner = shown(tree[1], 0 if tree[1][0] not in ("name", "number") else 9)
        bare = tree[1][0] in ("name", "number")
        if op == "square":
            return f"{inner}²" if bare else f"({inner})²"
        return f"{'√' if op == 'sqrt' else 'exp'}{inner if bare and op == 'sqrt' else f'({inner})'}"
    rank = {"+": 1, "-": 1, "neg": 1, "*": 2, "/": 2}[op]
    if op == "neg":
        text = f"-{shown(tree[1], 2)}"
    else:
        sign = {"*": "·", "/": "/"}.get(op, f" {op} ")
        first = tree[1]
        bare = first[0] == "neg" and first[1][0] == "number"  # -2·h, not (-2)·h
        text = f"{shown(first, 0 if bare else rank)}{sign}{shown(tree[2], rank + (op in '-/'))}"
    return f"({text})" if rank < depth else text


def _put(tree: Tree, i: int, inner: Callable[[Tree], Tree]) -> Callable[[Tree], Tree]:
    return lambda t: (*tree[:i], inner(t), *tree[i + 1 :])


def places(tree: Tree) -> Iterator[tuple[Tree, Callable[[Tree], Tree]]]:
    """Every subtree, and what puts another one in its place."""
    yield tree, lambda t: t
    for i, child in enumerate(tree):
        if isinstance(child, tuple):
            for part, inner in places(child):
                yield part, _put(tree, i, inner)


def weight(tree: Tree) -> int:
    """How many parts it has; what nobody writes counts more.

    >>> weight(("name", "x")), weight(("sqrt", ("square", ("name", "x")))) > 10
    (1, True)
    """
    odd = {("sqrt", "square"), ("square", "sqrt")}
    return sum(
        1
        + 20 * (len(p) == 2 and isinstance(p[1], tuple) and (p[0], p[1][0]) in odd)
        + 20 * (p[0] == "sqrt" and p[1][0] == "number")
        + 20 * (p[0] == "*" and p[1][0] == "/" and p[1][2] == p[2])  # a/b·b
        + 20 * (p[0] == "-" and p[1] == ("number", 1.0) and p[2] in (("name", "alpha_t"), p[1]))
        for p, _ in places(tree)
        if p[0] != "number"
    )
