"""The mean of x_next given x and x_0, the posterior's mean, in the place of the predicted x_0.

Conventions: as in `language`.
"""

from __future__ import annotations

from collections.abc import Iterator

from scoreproof.public.sampler.causes.formulas import Formula
from scoreproof.public.sampler.causes.language import Program, Tree, parsed, places

__all__ = ["posteriors"]

#: as a function ``q_posterior`` makes it of x_0 and x
MEAN = parsed("""
kept = (a_t * sigma_next / (a_next * sigma_t))**2
posterior = a_next * (1 - kept) * x_0 + a_next / a_t * kept * x
""")
TEXT = (
    "the mean of x_next given x and x_0, the posterior's mean"
    " √ᾱ_prev·β_t/(1 - ᾱ_t)·x_0 + √α_t·(1 - ᾱ_prev)/(1 - ᾱ_t)·x, stands where x_0 is due, {}:"
    " a function that returns both (q_posterior, p_mean_variance) gives the mean first"
)


def posteriors(formula: Formula) -> Iterator[tuple[str, Program]]:
    """In the last statement of DDIM, or in all that follow the one that makes x_0."""
    program = formula.program if "DDIM" in formula.name else ()
    made = next((k for k, (target, _) in enumerate(program) if target == "x_0"), None)
    if made is None:
        return
    last = len(program) - 1
    for first, where in {last: "in x_next", made + 1: "in ε and in x_next"}.items():
        rest = tuple((target, _with_mean(tree)) for target, tree in program[first:])
        if rest[0] != program[first]:
            yield TEXT.format(where), (*program[:first], *MEAN, *rest)


def _with_mean(tree: Tree) -> Tree:
    for part, put in places(tree):
        if part == ("name", "x_0"):
            return put(("name", "posterior"))
    return tree
