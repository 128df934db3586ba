"""torchcfm's bridge: 1e-8 in the denominator of its conditional flow is all that is off."""

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from absent import absent

absent("ot", "torchdyn")
from torchcfm.conditional_flow_matching import (  # noqa: E402
    SchrodingerBridgeConditionalFlowMatcher,
)

from scoreproof import check_marginals  # noqa: E402

bridge = SchrodingerBridgeConditionalFlowMatcher(0.5)
zero, start = torch.zeros(1, 2, dtype=torch.float64), torch.tensor([0.1], dtype=torch.float64)
spread = bridge.compute_sigma_t(start)


def flow(z, t):
    return bridge.compute_conditional_flow(0 * z, 0 * z, (t + start).expand(len(z)), z)


def marginal(z, t):
    std = bridge.compute_sigma_t(t + start)
    return z * std / spread, std.reshape(())


for tolerance in (None, 1e-6):
    evidence = check_marginals(
        flow,
        lambda t: 0.0,
        marginal,
        initial_std=float(spread),
        horizon=0.88,
        framework="torch",
        tolerance=tolerance,
    )
    print(f"tolerance {tolerance} -", evidence.explain())
