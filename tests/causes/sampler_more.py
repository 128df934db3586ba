"""Wrong samplers as strangers wrote them: tables read elsewhere, noise of another size, times told
otherwise, predictions kept, another scale of x.
"""

from __future__ import annotations

import numpy as np

from causes import wrong
from causes._samplers import BETAS, pairs
from scoreproof import check_sampler
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.objects.schedules import FlowMatching, VPLinear

TABLE, VP, FLOW = DiscreteVP(BETAS), VPLinear(0.1, 20.0), FlowMatching()
BAR = np.cumprod(1 - BETAS)
BEFORE = np.append(1.0, BAR[:-1])
LIST = {"times": range(960, -1, -32), "prediction": "eps", "shape": 1}
STRAIGHT = {"times": np.linspace(0.96, 0.06, 16), "prediction": "flow", "shape": 1}


def whole(times):
    return pairs([int(t) for t in times])


def ddim_of(size=None, end=None):
    """DDIM in a loop; ``size`` of its noise, ``end``: the ᾱ that a step leads to."""

    def sample(model, x, times, rng):
        for t, n in whole(times):
            a, b = BAR[t], end(t, n) if end else BAR[n]
            e, s = model(x, t), size(a, b, t) if size else 0.0
            x = b**0.5 * (x - (1 - a) ** 0.5 * e) / a**0.5
            x = x + np.maximum(1 - b - s**2, 0) ** 0.5 * e + s * rng.standard_normal(x.shape)
        return x

    return sample


def ancestral(beta=lambda t: BETAS[t], var=lambda t: BETAS[t] * (1 - BEFORE[t]) / (1 - BAR[t])):
    def sample(model, x, times, rng):
        for t, _ in whole(times):
            mean = (x - beta(t) / (1 - BAR[t]) ** 0.5 * model(x, t)) / (1 - BETAS[t]) ** 0.5
            x = mean + var(t) ** 0.5 * rng.standard_normal(x.shape)
        return x

    times = range(40, -1, -1)
    return check_sampler(sample, TABLE, times=times, prediction="eps", exact=True, shape=1)


# -- tables and sizes of noise ---------------------------------------------------------------------


@wrong("σ = η√(1 - ᾱ_t) in DDIM", says=r"η·√\(1 - ᾱ_t\) where η·√var is due, in std")
def ddim_noise_of_the_level():
    return check_sampler(ddim_of(lambda a, b, t: 0.4 * (1 - a) ** 0.5), TABLE, **LIST)


@wrong("σ = η√(1 - ᾱ_prev) in DDIM", says=r"η·√\(1 - ᾱ_prev\) where η·√var is due, in std")
def ddim_noise_of_the_next_level():
    return check_sampler(ddim_of(lambda a, b, t: 0.3 * (1 - b) ** 0.5), TABLE, **LIST)


@wrong("the step leads to ᾱ_{t-1}, not to the next of its times", says=r"t - 1, the entry.*960")
def ddim_leads_one_entry_down():
    loop = ddim_of(end=lambda t, n: BEFORE[t])
    return check_sampler(loop, TABLE, **LIST | {"times": range(990, -1, -30)})


@wrong("the posterior's variance is read at t - 1", says=r"√var_\{t-1\}·z where √var·z is due")
def ddpm_variance_of_the_entry_before():
    return ancestral(var=lambda t: BETAS[t - 1] * (1 - BEFORE[t - 1]) / (1 - BAR[t - 1]))


@wrong("β is read at t + 1", says=r"β_\{t\+1\}/√\(1 - ᾱ_t\)·ε.*β_t/√\(1 - ᾱ_t\)")
def ddpm_beta_of_the_entry_after():
    return ancestral(beta=lambda t: BETAS[t + 1])


@wrong("α_t/α_next for α_next/α_t", says=r"α_t/α_next·\(x .*where α_next/α_t·\(x .*is due")
def ancestral_quotient_upside_down():
    def step(x, t, n, z, model):
        a, b, s, r = VP.alpha(t), VP.alpha(n), VP.sigma(t), VP.sigma(n)
        c = 1 - (a * r / (b * s)) ** 2
        return a / b * (x - c * s * model(x, t)) + r * c**0.5 * z

    return check_sampler(step, VP, times=np.linspace(1, 0.02, 30), prediction="eps", shape=1)


@wrong("the 2 of exp(-2h) is missing", says=r"√\(1 - exp\(-h\)\)·z where .*√\(1 - exp\(-2·h\)\)·z")
def sde_dpmpp_noise_without_the_two():
    def sample_sde_dpmpp(model, x, sigmas, rng):
        for s, n in pairs(sigmas):
            x0 = model(x, s)
            if n == 0:
                return x0
            k, u = -np.expm1(2 * np.log(n / s)), (1 - n / s) ** 0.5
            x = (n / s) ** 2 * x + k * x0 + n * u * rng.standard_normal(x.shape)
        return x

    return check_sampler(sample_sde_dpmpp, shape=1)


# -- noise without its drift, and noise that stays -------------------------------------------------


@wrong(
    "noise is added, the ODE's drift is kept", says=r"draw no noise, but.*0\.5·√dt is.*√\(σ_next²"
)
def flow_noise_without_its_drift():
    def sample(model, x, times, rng):
        for t, n in pairs(times):
            x = x + (n - t) * model(x, t) + 0.5 * (t - n) ** 0.5 * rng.standard_normal(x.shape)
        return x

    return check_sampler(sample, FLOW, **STRAIGHT)


@wrong("γ does not fall with the number of steps", says=r"γ = 0\.25 .*does not fall as the steps")
def churn_that_stays():
    def sample(net, x, sigmas, rng):
        for s, n in pairs(sigmas):
            hat = s * max(4 / len(sigmas), 1.25)
            x = x + (hat**2 - s**2) ** 0.5 * rng.standard_normal(x.shape)
            x = x + (n - hat) * (x - net(x, hat)) / hat
        return x

    return check_sampler(sample, shape=1)


@wrong("the first call is told σ after the churn", says=r"Heun with σ̂ = 1\.2 σ.*tell it σ̂")
def churned_heun_told_sigma():
    def sample(net, x, sigmas, rng):
        for s, n in pairs(sigmas):
            hat = s * (1 + min(4 / (len(sigmas) - 1), 0.4))
            x = x + (hat**2 - s**2) ** 0.5 * rng.standard_normal(x.shape)
            d = (x - net(x, s)) / hat
            y = x + (n - hat) * d
            x = y if n == 0 else x + (n - hat) / 2 * (d + (y - net(y, n)) / n)
        return x

    return check_sampler(sample, order=2, shape=1)


# -- predictions of other steps --------------------------------------------------------------------


@wrong("the old slope is that of step 0 for ever", says=r"predicted in step 0.*never replaced")
def old_slope_never_replaced():
    def sample(model, x, sigmas):
        old = None
        for s, n in pairs(sigmas[:-1]):
            d = (x - model(x, s)) / s
            x = x + (n - s) * (d if old is None else 1.5 * d - 0.5 * old)
            old = d if old is None else old
        return x

    return check_sampler(sample, order=2, shape=1)


@wrong("a sign of Adams–Bashforth, after a start of two calls", says=r"\+ 9·prev_3.*- 9·prev_3")
def plms_with_a_sign_and_a_first_step_of_two_calls():
    def move(x, t, n, e):
        a, b = BAR[t], BAR[n]
        return (b / a) ** 0.5 * (x - (1 - a) ** 0.5 * e) + (1 - b) ** 0.5 * e

    def plms(model, x, times):
        old = []
        for t, n in whole(times):
            e = model(x, t)
            if not old:
                use = (e + model(move(x, t, n, e), n)) / 2
            elif len(old) < 3:
                use = (3 * e - old[0]) / 2
            else:
                use = (55 * e - 59 * old[0] + 37 * old[1] + 9 * old[2]) / 24
            old = [e, *old][:3]
            x = move(x, t, n, use)
        return x

    return check_sampler(plms, TABLE, **LIST)


@wrong("scores of two times are put together", says=r"scores of several steps are put together")
def raw_scores_put_together():
    def sample(model, x, times):
        old = None
        for t, n in whole(times):
            s = model(x, t)
            e = -((1 - BAR[t]) ** 0.5) * (s if old is None else 1.5 * s - 0.5 * old)
            x = (x - (1 - BAR[t]) ** 0.5 * e) * (BAR[n] / BAR[t]) ** 0.5 + (1 - BAR[n]) ** 0.5 * e
            old = s
        return x

    return check_sampler(sample, TABLE, **LIST | {"prediction": "score", "order": 2})


@wrong("ε × 1.04 in a method of two steps", says=r"what the model returns is multiplied by 1\.04")
def dpmpp_2m_scales_epsilon():
    half = np.log(BAR / (1 - BAR)) / 2

    def sample(model, x, times):
        old = last = None
        for t, n in whole(times):
            x0 = (x - (1 - BAR[t]) ** 0.5 * 1.04 * model(x, t)) / BAR[t] ** 0.5
            h = half[n] - half[t]
            d = x0 if old is None else x0 + (x0 - old) * h / (2 * last)
            x = ((1 - BAR[n]) / (1 - BAR[t])) ** 0.5 * x - BAR[n] ** 0.5 * np.expm1(-h) * d
            old, last = x0, h
        return x

    return check_sampler(sample, TABLE, **LIST)


@wrong("σ of the step before", says=r"σ_\{i-1\}·x where σ_next/σ_t·x is due")
def dpmpp_scales_by_the_sigma_before():
    def sample(model, x, sigmas):
        for i, (s, n) in enumerate(pairs(sigmas)):
            x = n / sigmas[max(i - 1, 0)] * x + (1 - n / s) * model(x, s)
        return x

    return check_sampler(sample, shape=1)


@wrong("the model is called once", says=r"called outside the loop")
def called_once():
    def sample(model, x, times):
        v = model(x, times[0])
        for t, n in pairs(times):
            x = x + (n - t) * v
        return x

    return check_sampler(sample, FLOW, **STRAIGHT)


# -- what the model is told and asked --------------------------------------------------------------


def euler_told(tell):
    def sample(model, x, times):
        for t, n in pairs(times):
            x = x + (n - t) * model(x, tell(t))
        return x

    return check_sampler(sample, FLOW, **STRAIGHT)


@wrong("told the time before the shift", says=r"shifted by 0\.25, the inverse of the shift by 4")
def told_before_the_shift():
    return euler_told(lambda t: t / (4 - 3 * t))


@wrong("told 0.9 t + 0.05", says=r"told 0\.9·t \+ 0\.05, not t")
def told_an_affine_time():
    return euler_told(lambda t: 0.9 * t + 0.05)


@wrong("scale_model_input is missing", says=r"asked at x/α, not at x")
def asked_in_other_coordinates():
    over = ((1 - BAR) / BAR) ** 0.5

    def sample(model, x, times):
        y = x / BAR[int(times[0])] ** 0.5
        for t, n in whole(times):
            y = y + (over[n] - over[t]) * model(y, t)
        return y * BAR[int(times[-1])] ** 0.5

    return check_sampler(sample, TABLE, **LIST)


@wrong("the model sees 0.5 x", says=r"asked at 0\.5·x, not at x, in every step")
def asked_at_half_of_x():
    def sample(model, x, times):
        for t, n in pairs(times):
            x = x + (n - t) * model(x / 2, t)
        return x

    return check_sampler(sample, FLOW, **STRAIGHT)


# -- both ends of the chain ------------------------------------------------------------------------


def ve_from(noise):
    def sample(model, x, sigmas, rng):
        x = noise(sigmas) * rng.standard_normal(x.shape)
        for s, n in pairs(sigmas):
            x = x + (n - s) * (x - model(x, s)) / s
        return x

    return check_sampler(sample, shape=1)


@wrong("it starts from N(0, 1) where σ = 15", says=r"starts from 1 times N\(0, 1\).*by 15")
def starts_from_unit_noise():
    return ve_from(lambda sigmas: 1.0)


@wrong("it starts from σ_max² noise", says=r"starts from 225 times.*15 times the noise that is due")
def starts_from_the_variance():
    return ve_from(lambda sigmas: sigmas[0] ** 2)


@wrong("the correction divides by σ = 0 at last", says=r"second call is made there.*σ_next = 0")
def correction_in_the_last_step():
    def sample(net, x, sigmas):
        for s, n in pairs(sigmas):
            d = (x - net(x, s)) / s
            y = x + (n - s) * d
            x = x + (n - s) * (d + (y - net(y, n)) / n) / 2
        return x

    with np.errstate(all="ignore"):
        return check_sampler(sample, order=2, shape=1)


@wrong(
    "the corrector of a scheduler with doubled timesteps × 1.1",
    says=r"0\.5·d_2 is multiplied by 1\.1",
)
def heun_in_two_halves():
    class Heun:
        config = {"prediction_type": "epsilon", "num_train_timesteps": 1000}
        table = ((1 - BAR) / BAR) ** 0.5

        def set_timesteps(self, n):
            t = np.linspace(999, 0, n).round().astype(int)
            self.timesteps = np.concatenate([t[:1], np.repeat(t[1:], 2)])
            self.sigmas, self.i, self.old = np.append(self.table[self.timesteps], 0.0), 0, None

        def add_noise(self, x, noise, t):
            return x + self.table[t].reshape(-1, *[1] * (x.ndim - 1)) * noise

        def step(self, out, t, x):
            s, n = self.sigmas[self.i], self.sigmas[self.i + 1]
            self.i += 1
            if self.old is None:
                self.old = (out, n - s, x) if n > 0 else None
                return {"prev_sample": x + (n - s) * out}
            first, dt, x = self.old
            self.old = None
            return {"prev_sample": x + dt * (first + 1.1 * out) / 2}

    return check_sampler(Heun(), steps=20, shape=1)


# -- straight paths --------------------------------------------------------------------------------


@wrong("half of the drift that belongs to the noise", says=r"noise is 0\.5 times what is due")
def flow_sde_with_half_of_its_drift():
    def sample(model, x, times, rng):
        for t, n in pairs(times):
            h, v, g2 = t - n, model(x, t), 0.49 * t
            e = x + (1 - t) * v
            x = x - h * v - h * g2 / 4 / t * e + (g2 * h) ** 0.5 * rng.standard_normal(x.shape)
        return x

    return check_sampler(sample, FLOW, **STRAIGHT)


@wrong("weights of Adams–Bashforth", says=r"newest first, are \(13, -3\)/10|\(1\.3, -0\.3\)")
def flow_multistep_with_other_weights():
    def sample(model, x, times):
        old = None
        for t, n in pairs(times):
            v = model(x, t)
            x = x + (n - t) * (v if old is None else 1.3 * v - 0.3 * old)
            old = v
        return x

    return check_sampler(sample, FLOW, order=2, **STRAIGHT)


@wrong(
    "σ are shifted, timesteps are not", says=r"other σ than those of its timesteps.*shifted by 2"
)
def flow_scheduler_with_timesteps_of_another_list():
    class Flow:
        config = {"num_train_timesteps": 1000}

        def set_timesteps(self, n):
            t = np.linspace(1, 0, n + 1)
            self.sigmas, self.timesteps, self.i = 2 * t / (1 + t), 1000 * t[:-1], 0

        def scale_noise(self, sample, timestep, noise):
            sigma = (timestep / 1000).reshape(-1, *[1] * (sample.ndim - 1))
            return sigma * noise + (1 - sigma) * sample

        def step(self, model_output, timestep, sample):
            self.i += 1
            return (sample + (self.sigmas[self.i] - self.sigmas[self.i - 1]) * model_output,)

    return check_sampler(Flow(), steps=20, prediction="flow", shape=1)


@wrong("the scale after σ_down is left out", says=r"has y where α_next/α_down·y is due")
def flow_ancestral_without_its_scale():
    def sample(model, x, times, rng):
        for t, n in pairs(times):
            d = n * (1 + (n / t - 1) * 0.6)
            z = (n**2 - (d * (1 - n) / (1 - d)) ** 2) ** 0.5 * rng.standard_normal(x.shape)
            x = x + (d - t) * model(x, t) + z
        return x

    return check_sampler(sample, FLOW, **STRAIGHT)
