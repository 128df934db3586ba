"""The family of reverse-time SDEs with the marginals of a forward SDE.

Conventions
-----------
- Forward ``dX = f dt + g dW``; ``g`` is a diffusion coefficient (its square is the rate of
  variance), ``score`` is ``∂_x log p_t`` of the forward marginal at the same time ``t``.
- Reverse time: the formula returns the drift ``b`` of ``dX̄ = b dt + c dW̄`` with ``dt < 0`` and
  the *squared* diffusion ``c²``. Over a step of length ``h > 0`` backward: ``X̄_{t-h} = X̄_t - b h
  + c √h Z``.
- ``λ ≤ 1``: 0 is the time reversal of the forward SDE, 1 the probability-flow ODE, negative values
  add noise.
- Points are rows ``(n, d)``, times plain numbers in ``[0, T]``; every row has the same ``t``.
"""

from __future__ import annotations

from typing import Any

from scoreproof.core import Statement

__all__ = ["STATEMENT", "formula", "truth"]


def formula(f: Any, g: Any, score: Any, lam: Any) -> tuple[Any, Any]:
    """``(b, c²)`` of the reverse SDE from the values of ``f``, ``g`` and the score: the only place
    the statement is written.

    >>> formula(1.0, 2.0, 0.5, 1.0)
    (0.0, 0.0)
    """
    return f - (1 - lam / 2) * (g * g) * score, (1 - lam) * (g * g)


def truth(process: Any, x: Any, t: Any, lam: Any) -> tuple[Any, Any]:
    """The subject that every check judges: ``formula`` on a process with ``drift``, ``diffusion``,
    ``score``, ``density``.
    """
    return formula(process.drift(x, t), process.diffusion(t), process.score(x, t), lam)


STATEMENT = Statement(
    name="reverse_family",
    title="Every member of the reverse-time SDE family (lambda <= 1) has the forward marginals",
    formula=(
        "dX = (f - (1 - λ/2) g² ∂_x log p_t) dt + √(1-λ) g dW̄, X_T ~ p_T: X_t ~ p_t for every λ ≤ 1"
    ),
    latex=(
        r"d\bar X_t = \Bigl(f - \bigl(1-\tfrac{\lambda}{2}\bigr) g^2\, \partial_x \log p_t\Bigr) dt"
        r" + \sqrt{1-\lambda}\, g\, d\bar W_t,"
        r"\quad \bar X_T \sim p_T \;\Longrightarrow\; \bar X_t \sim p_t \quad (\lambda \le 1)"
    ),
    source="homework on generative models, spring 2024, problem 7",
    hypotheses=(
        "λ ≤ 1 (it may depend on t); the noise coefficient √(1-λ) g is real",
        "the chain starts from p_T exactly, not from the Gaussian that p_T resembles",
        "p_t > 0 and smooth on the times used: t stays away from 0 when p_0 has atoms",
        "the reverse Fokker–Planck equation has one solution that starts from p_T",
        "the score is the exact score of the marginals",
    ),
    errata=(
        (
            "unsaid: uniqueness for the reverse Fokker–Planck equation, p_t > 0, and t bounded away"
            " from 0 when p_0 has atoms"
        ),
        (
            "unsaid: only the laws at single times agree. For a linear SDE in one dimension with a"
            " Gaussian start the correlation of X_t and X_T is ρ^(1-λ), ρ the forward correlation:"
            " it equals the forward one for λ = 0 only"
        ),
        (
            "the remark that a learned s_θ may be put in holds for the exact score only: with κ"
            " times the score of a Gaussian, Var X_0 is off by the factor n/m + (1 - n/m) ρ^(2m), m"
            " = κ(2-λ) - 1, n = 1 - λ. For κ = 1.1, variance 0.5 and ρ² = 1/13 it runs from 0.444"
            " (λ = -3) to 0.387 (λ = 1)"
        ),
    ),
    blind_spots=(
        (
            "λ = 0 hides every fault in how λ enters: (1-λ) for (1-λ/2), λ/2 missing, λ/2 added,"
            " √(1-λ²), 1-λ without its root, a noise of full strength"
        ),
        "λ = 1 hides the noise altogether",
        "a constant g = 1 hides g against g², a missing g and a g of the wrong time",
        (
            "the identity of partial differential equations is blind to λ > 1, where c² < 0 and"
            " there is no such SDE"
        ),
        "a stationary process hides the score of the wrong time",
        "Monte Carlo needs 1e5 particles to see a coefficient that is off by 2 %: a smoke test",
    ),
    not_covered=(
        "that the reverse Fokker–Planck equation has no second solution that starts from p_T",
        "that the SDE has a solution up to time 0, and that its law has a density",
        "jet_symbols: dimensions other than those that its instances name",
    ),
    conventions=(
        (
            "λ and DDIM: a DDIM step with parameter η tends to the member λ = 1 - η² (η = 0 the"
            " ODE, η = 1 the ancestral sampler λ = 0); at any step size it keeps q(x_t | x_0)"
            " exactly"
        ),
        (
            "λ and EDM's churn: raising the noise from σ_i to (1+γ)σ_i and stepping down to σ_{i+1}"
            " is λ = 1 - γσ_i/h to first order, h = σ_i - σ_{i+1} the net decrease (S_churn = 0 is"
            " λ = 1; with h' the way down from the raised level, 1 - γσ_i/(h' - γσ_i)). With γ ="
            " min(S_churn/steps, √2 - 1) it varies along the chain on Karras' σ; on a geometric"
            " list it does not, and tends to 1 - S_churn/log(σ_max/σ_min)"
        ),
        "λ may be a function of t: the identity holds at each time by itself",
        (
            "dt < 0: drift b as given. With the clock s = T - t, ds > 0, the drift is -b and the"
            " noise the same"
        ),
        "σ is a standard deviation, g² a rate of variance; VE has g² = d(σ²)/dt, VP g² = β",
        (
            "x_t = α x_0 + σ ε: then E[x_0 | x_t] = (x_t + σ² ∇log p_t)/α, and the score is -E[ε |"
            " x_t]/σ"
        ),
    ),
)
