"""What a mistake in a log-likelihood is, and what would make it right, in words."""

from __future__ import annotations

__all__ = ["IN_WORDS", "REASONS", "SLOPES"]

REASONS: dict[str, str] = {
    "trace_sign": "∫ tr(∂f/∂x) dt has the wrong sign. From data to noise log p(x) = log π(z) + ∫ tr"
    " dt: the density is that of z times how much the flow widens",
    "trace_missing": "∫ tr(∂f/∂x) dt is missing: add it to log π(z); if it stands there, it is"
    " multiplied by dt twice and vanishes as the steps get finer",
    "trace_mean": "the mean over coordinates stands where ν·Jν, or the trace, is a sum: use"
    " (e_dzdx * nu).flatten(1).sum(1), not mean",
    "trace_held": "the trace is that at the start, times the whole time: it is to be taken along"
    " the way, at each z(t)",
    "trace_at_end": "the trace is that at the end, times the whole time: it is to be taken along"
    " the way, at each z(t)",
    "trace_times_n": "∫ tr(∂f/∂x) dt is multiplied by the number of coordinates",
    "prior_at_x": "the prior is evaluated at x, where the flow begins: it is due at z, where it"
    " ends",
    "prior_no_2pi": "the prior lacks its constant -d/2 log(2π)",
    "prior_no_width": "the prior lacks its constant -d log σ: of N(0, σ² I) it is"
    " -|z|²/(2σ²) - d/2 log(2πσ²)",
    "prior_half_2pi": "the prior has -½ log(2π) once, where it is due for every coordinate: d/2"
    " log(2π)",
    "prior_no_half": "the prior has |z|² where ½|z|² is due",
    "prior_half_constant": "the prior has d log(2πσ²) where d/2 log(2πσ²) is due",
    "prior_mean": "the prior is the mean over coordinates: sum over all axes but the batch",
    "prior_square_mean": "the prior has the mean of z² over the coordinates where their sum is due:"
    " (z**2).flatten(1).sum(1), not mean",
    "prior_missing": "the prior log π(z) is missing",
    "prior_variance": "the prior has the standard deviation where its variance is due: |z|²/(2σ²)",
    "prior_fourth": "the prior has the variance where its standard deviation is due (σ² is squared"
    " again)",
    "prior_unit": "the prior is N(0, I), where the noise at the end has a standard deviation of σ",
    "prior_sigma": "the prior is N(0, σ(T)² I), where N(0, I) is due; if you mean it, pass prior=",
    "prior_sigma_at_one": "the prior has σ(1), where the ODE ends at another time",
    "prior_marginal": "the prior is the exact law at the end, not the one that samples begin with;"
    " if you mean it, pass prior='marginal'",
    "whole_g2": "the drift is that of the reverse SDE: f - g² ∇log p. The ODE has f - ½ g² ∇log p",
    "trace_whole_g2": "the trace is that of f - g² ∇log p, x moves with f - ½ g² ∇log p: take the"
    " divergence of what x moves with",
    "path_whole_g2": "x moves with f - g² ∇log p, the trace is that of f - ½ g² ∇log p",
    "g_for_g2": "the drift has ½ g ∇log p where ½ g² ∇log p is due",
    "trace_g_for_g2": "the trace has ½ g where ½ g² is due",
    "no_drift": "f, the drift of the forward process, is missing: the ODE is f - ½ g² ∇log p",
    "trace_no_drift": "the trace lacks that of f: the divergence of f - ½ g² ∇log p is due",
    "trace_no_score": "the trace is that of f alone: the divergence of -½ g² ∇log p is missing",
    "score_sign": "½ g² ∇log p is added to the drift: it is subtracted, f - ½ g² ∇log p",
    "trace_of_score": "the trace is that of the score, not of the drift f - ½ g² ∇log p",
    "trace_of_model": "the trace is that of what the model returns, not of the drift of the ODE",
    "wrong_way": "the flow is followed the wrong way: x goes with -dx/dt. Check the sign of dt, and"
    " that the ODE goes from the time of the data to that of the noise",
    "wrong_way_trace": "x goes with -dx/dt, and ∫ tr with dt: the two have one sign of dt",
    "clock_turned": "the model is told T - t where t is due",
    "clock_turned_sign": "the model is told T - t where t is due, and ∫ tr has the wrong sign",
    "both_turned": "x goes with -dx/dt, and the model is told T - t where t is due",
    "both_turned_sign": "the model is told T - t where t is due, and x goes with -dx/dt, ∫ tr with"
    " dt",
    "from_the_noise": "it begins at the time of the noise: x is data, so that the ODE goes from the"
    " time of the data to that of the noise; if your data are at the other end, say data_at=",
    "from_the_noise_sign": "it begins at the time of the noise, and ∫ tr is subtracted: the ODE"
    " goes from the time of the data to that of the noise",
    "stops_early": "the ODE stops before the time of the noise",
    "starts_late": "the ODE begins after the time of the data",
    "scaler_missing": "x is scaled before the ODE begins, and log|dy/dx| of that is not added",
    "scaler_sign": "log|dy/dx| of the scaling of x is subtracted: it is to be added to log p",
    "offset_missing": "the bits of the levels of the data are missing: add log2(levels / (high -"
    " low)), which is 8 of 256 levels in [0, 1] and 7 in [-1, 1]",
    "offset_one_more": "the offset is one bit too large: it is log2(levels / (high - low)), 7 of"
    " 256 levels in [-1, 1] and 8 in [0, 1]",
    "offset_one_less": "the offset is one bit too small: it is log2(levels / (high - low)), 7 of"
    " 256 levels in [-1, 1] and 8 in [0, 1]",
    "offset_sign": "the offset of the levels of the data is subtracted: it is added to -log2 p / d",
    "offset_not_per_dim": "the offset is divided by the number of coordinates, though it is one of"
    " each coordinate",
    "no_dimensions": "it is not divided by the number of coordinates",
    "no_log2": "it is in nats: divide by log 2",
    "times_log2": "it is multiplied by log 2 where it is divided by it",
    "sign": "its sign is turned: log p where -log p is due, or -log p where log p is",
    "per_dimension": "it is divided by the number of coordinates",
    "in_bits": "it is in bits where nats are due: multiply by log 2",
    "bits_per_dim": "it is in bits per dimension where log p in nats is due; say"
    " units='bits_per_dim' if that is meant",
}

#: in what log p is differentiated
IN_WORDS = {"x": "x", "params": "the parameters of the model", "t": "the time of the data"}

SLOPES: dict[str, str] = {
    "detached": "log p does not depend on it in the graph: the model is asked under"
    " torch.no_grad(), or its answer, or the result, is detached, or its parameters are not told to"
    " the adjoint",
    "trace_detached": "the gradient of ∫ tr is missing: take the divergence with create_graph=True,"
    " and do not detach it",
    "prior_detached": "the gradient of log π(z) is missing: z is detached before the prior",
    "trace_gradient_sign": "the gradient of ∫ tr has the wrong sign",
    "gradient_sign": "the gradient has the wrong sign",
    "state_detached": "z is detached at every step, z.detach().requires_grad_(): what a parameter"
    " does to z is not carried on. Let z keep its graph",
    "state_and_trace_detached": "z is detached at every step, and the divergence too: let both keep"
    " their graph, with create_graph=True",
}
