"""torchcfm: the probability path of every flow matcher against its own conditional flow."""

from __future__ import annotations

import torch
from absent import absent
from report import judge, not_judged

absent("ot", "torchdyn")

from torchcfm.conditional_flow_matching import (  # noqa: E402
    ConditionalFlowMatcher,
    SchrodingerBridgeConditionalFlowMatcher,
    TargetConditionalFlowMatcher,
    VariancePreservingConditionalFlowMatcher,
)

from scoreproof import check_marginals  # noqa: E402

TARGET = torch.tensor([[0.7, -1.3]], dtype=torch.float64)
SOURCE = torch.tensor([[-0.4, 0.9]], dtype=torch.float64)


def path(matcher, start: float, end: float = 0.98, tolerance: float | None = None):
    """N(mu_t, sigma_t²) for fixed x_0 and x_1 is what the conditional flow carries its law at
    ``start`` to. The check starts at z, at the centre of that law or beside it.
    """

    def moments(t):
        at = t.reshape(1)
        std = torch.as_tensor(matcher.compute_sigma_t(at), dtype=torch.float64).reshape(())
        return matcher.compute_mu_t(SOURCE, TARGET, at), std

    first, spread = moments(torch.tensor(start, dtype=torch.float64))

    def flow(z, t):
        at = (t + start).reshape(1).expand(len(z))
        x0, x1 = SOURCE.expand_as(z), TARGET.expand_as(z)
        return matcher.compute_conditional_flow(x0, x1, at, z)

    def marginal(z, t):
        mean, std = moments(t + start)
        return mean + (z - first) * std / spread, std

    return check_marginals(
        flow,
        lambda t: 0.0,
        marginal,
        initial_std=float(spread),
        horizon=end - start,
        framework="torch",
        tolerance=tolerance,
    )


def run() -> None:
    matchers = {
        "ConditionalFlowMatcher(sigma=0.1)": (ConditionalFlowMatcher(0.1), 0.0),
        "TargetConditionalFlowMatcher(sigma=0.1)": (TargetConditionalFlowMatcher(0.1), 0.0),
        "SchrodingerBridgeConditionalFlowMatcher(sigma=0.5)": (
            SchrodingerBridgeConditionalFlowMatcher(0.5),
            0.1,
        ),
        "VariancePreservingConditionalFlowMatcher(sigma=0.1)": (
            VariancePreservingConditionalFlowMatcher(0.1),
            0.0,
        ),
    }
    for name, (matcher, start) in matchers.items():
        judge(
            "torchcfm",
            f"{name}: mu_t, sigma_t and the conditional flow, t from {start:g} to 0.98",
            "forward process",
            lambda m=matcher, s=start: path(m, s),
            reading="compute_conditional_flow divides by 2t(1-t) + 1e-8 where 2t(1-t) is due, a"
            " guard against 0/0 at the ends: off by 1e-8 relative to 2t(1-t)",
            minimal="torchcfm_schrodinger_bridge",
        )
    judge(
        "torchcfm",
        "SchrodingerBridgeConditionalFlowMatcher(sigma=0.5), the same, tolerance 1e-6",
        "forward process",
        lambda: path(SchrodingerBridgeConditionalFlowMatcher(0.5), 0.1, tolerance=1e-6),
    )
    not_judged(
        "torchcfm",
        "compute_lambda",
        "loss",
        "a weight of a score-matching loss; no public check takes one",
    )
    not_judged(
        "torchcfm",
        "OTPlanSampler",
        "coupling",
        "optimal-transport plans of a minibatch; no public check takes one",
    )


if __name__ == "__main__":
    run()
