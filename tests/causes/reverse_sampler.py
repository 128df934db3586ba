"""Wrong reverse-time samplers, as they are written, in the form of drift and noise."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_reverse_sampler
from scoreproof.objects.schedules import VE, FlowMatching, VPLinear

VP, GEOMETRIC, STRAIGHT = VPLinear(0.1, 20.0), VE(0.01, 50.0), FlowMatching()
B0, B1 = 0.1, 20.0


def beta(t):
    return B0 + t * (B1 - B0)


def log_mean(t):
    return -0.25 * t**2 * (B1 - B0) - 0.5 * t * B0


def std(t):
    return np.sqrt(1.0 - np.exp(2.0 * log_mean(t)))


class ReverseSDE:
    """In the style of score_sde's ``RSDE``, without faults; subclasses have one each."""

    probability_flow = False

    def score(self, model, x, t):
        return model(x, t)

    def sde(self, x, t):
        return -0.5 * beta(t) * x, np.sqrt(beta(t))

    def __call__(self, x, t, model):
        drift, diffusion = self.sde(x, t)
        drift = drift - diffusion**2 * self.score(model, x, t) * (
            0.5 if self.probability_flow else 1.0
        )
        return drift, 0.0 if self.probability_flow else diffusion


def member(sampler, lam=0.0, process=VP, **more):
    """One that takes no λ."""
    return check_reverse_sampler(sampler, process, (lam,), form="sde", **more)


# -- drift against noise ---------------------------------------------------------------------------


@wrong(
    "the ODE's drift is kept while noise is added",
    says=r"ODE's drift[^.]*noise is added|drift of λ = 1[^.]*noise (is that )?of λ = 0",
)
def half_score_with_noise():
    class Sampler(ReverseSDE):
        def __call__(self, x, t, model):
            f, g = self.sde(x, t)
            return f - 0.5 * g**2 * model(x, t), g

    return member(Sampler())


@wrong(
    "noise added to the velocity of a flow, without its term in the score",
    says=r"ODE's drift[^.]*noise is added|c²/2[^.]*(missing|left out)|drift of λ = 1\b",
)
def velocity_with_noise():
    def sampler(x, t, v):
        return v(x, t), 0.7 * np.sqrt(t / (1 - t))  # as flow_grpo's σ_t

    return member(sampler, process=STRAIGHT, prediction="velocity")


@wrong(
    "v + (c²/2) s where v - (c²/2) s is due for dt < 0",
    says=r"sign of the term ½ c² ∇log p",
)
def velocity_plus_score():
    def sampler(x, t, v):
        u, c = v(x, t), 0.7 * np.sqrt(t / (1 - t))
        score = -(x + (1 - t) * u) / t
        return u + c**2 / 2 * score, c

    return member(sampler, process=STRAIGHT, prediction="velocity")


@wrong(
    "v - c² s where v - (c²/2) s is due",
    says=r"v - c² ∇log p where v - ½ c² ∇log p is due",
)
def velocity_score_doubled():
    def sampler(x, t, v):
        u, c = v(x, t), 0.8
        return u - c**2 * (-(x + (1 - t) * u) / t), c

    return member(sampler, process=STRAIGHT, prediction="velocity")


@wrong(
    "the SDE's drift without its noise",
    says=r"drift (is that )?of λ = 0[^.]*noise[^.]*λ = 1|without its noise|noise is missing",
)
def anderson_without_noise():
    class Sampler(ReverseSDE):
        def __call__(self, x, t, model):
            f, g = self.sde(x, t)
            return f - g**2 * model(x, t), np.zeros_like(g)

    return member(Sampler(), 1.0)


@wrong(
    "the weight of the score (1 + η)/2 where (1 + η²)/2 is due",
    says=r"\(1 ?\+ ?η\)/2|η for η²|η where η²|drift[^.]*λ = 1 - η\b|√\(1 ?- ?λ\)",
)
def score_weight_in_eta():
    def sampler(x, t, score, eta):
        g2 = beta(t)
        return -0.5 * g2 * x - (1 + eta) / 2 * g2 * score(x, t), eta * np.sqrt(g2)

    return check_reverse_sampler(sampler, VP, (-0.5, 0.0, 0.3, 0.75), parameter="eta")


@wrong(
    "noise η² g where the drift is that of η",
    says=r"η²|eta squared|\(1 ?- ?λ\)²|root forgotten|noise[^.]*η⁴",
)
def noise_eta_squared():
    def sampler(x, t, score, eta):
        g = np.sqrt(beta(t))
        return -0.5 * g**2 * x - (1 + eta**2) / 2 * g**2 * score(x, t), eta**2 * g

    return check_reverse_sampler(sampler, VP, (-0.5, 0.0, 0.3, 0.75), parameter="eta")


@wrong("the noise is scaled by a temperature 0.9", says=r"noise[^.]*0\.9\b")
def temperature():
    class Sampler(ReverseSDE):
        def __call__(self, x, t, model):
            drift, g = super().__call__(x, t, model)
            return drift, 0.9 * g

    return member(Sampler())


# -- the terms of the drift ------------------------------------------------------------------------


@wrong(
    "the sign of the score term", says=r"sign of the score|score[^.]*wrong sign|-1 times the score"
)
def score_added():
    class Sampler(ReverseSDE):
        def __call__(self, x, t, model):
            f, g = self.sde(x, t)
            return f + g**2 * model(x, t), g

    return member(Sampler())


@wrong(
    "β x where β x/2 is due",
    says=r"(f|forward drift|f\(x, t\))[^.]*(twice|doubled|factor 2|2 times|times 2)",
)
def drift_without_half():
    class Sampler(ReverseSDE):
        def sde(self, x, t):
            return -beta(t) * x, np.sqrt(beta(t))

    return member(Sampler())


@wrong("the forward drift is left out", says=r"(f|forward drift)[^.]*(left out|missing)")
def no_forward_drift():
    def sampler(x, t, score, lam):
        return -(1 - lam / 2) * beta(t) * score(x, t), np.sqrt((1 - lam) * beta(t))

    return check_reverse_sampler(sampler, VP)


@wrong(
    "g where g² is due before the score", says=r"g in place of g²|g for g²|g where g²|g_not_squared"
)
def diffusion_not_squared():
    class Sampler(ReverseSDE):
        def __call__(self, x, t, model):
            f, g = self.sde(x, t)
            return f - g * model(x, t), g

    return member(Sampler())


@wrong("guidance: the score 1.5 times", says=r"score[^.]*1\.5|1\.5[^.]*score")
def guided():
    class Sampler(ReverseSDE):
        def score(self, model, x, t):
            return 1.5 * model(x, t)

    return member(Sampler())


@wrong(
    "VE with g = σ, √(2 ln(σ_max/σ_min)) left out",
    says=r"σ\(t\)|g is too small[^.]*0\.242|0\.242|4\.13|17\.0",
)
def geometric_without_root():
    def sampler(x, t, score, lam):
        g = 0.01 * (50.0 / 0.01) ** t
        return -(1 - lam / 2) * g**2 * score(x, t), np.sqrt(1 - lam) * g

    return check_reverse_sampler(sampler, GEOMETRIC)


@wrong("base-10 logarithm in g", says=r"log10|base[- ]10|ln 10|log 10|decimal")
def geometric_log10():
    def sampler(x, t, score):
        g = 0.01 * (50.0 / 0.01) ** t * np.sqrt(2 * np.log10(50.0 / 0.01))
        return -(g**2) * score(x, t), g

    return member(sampler, process=GEOMETRIC)


# -- the model: its kind, its time, its argument --------------------------------------------------


@wrong(
    "-ε is taken for the score: 1/σ left out",
    says=r"σ[^.]*(left out|missing)|-ε/σ|factor σ|times σ",
)
def eps_not_divided():
    class Sampler(ReverseSDE):
        def score(self, model, x, t):
            return -model(x, t)

    return member(Sampler(), prediction="eps")


@wrong("-ε/σ² where -ε/σ is due", says=r"-ε/σ²|1/σ\b|σ²[^.]*where[^.]*σ|σ² for σ|divided by σ")
def eps_over_variance():
    class Sampler(ReverseSDE):
        def score(self, model, x, t):
            return -model(x, t) / (1.0 - np.exp(2.0 * log_mean(t)))

    return member(Sampler(), prediction="eps")


@wrong("ε/σ, the minus sign left out", says=r"sign of the (score|model)|score[^.]*wrong sign|minus")
def eps_sign():
    class Sampler(ReverseSDE):
        def score(self, model, x, t):
            return model(x, t) / std(t)

    return member(Sampler(), prediction="eps")


@wrong(
    "a network that predicts v is used as one that predicts ε",
    says=r"(v|v-prediction)[^.]*(as|for|taken)[^.]*(ε|eps)|(returns|predicts?) (ε|eps)",
)
def v_as_eps():
    class Sampler(ReverseSDE):
        def score(self, model, x, t):
            return -model(x, t) / std(t)

    return member(Sampler(), prediction="v")


@wrong("(x0 - x)/σ² where (α x0 - x)/σ² is due", says=r"α[^.]*(missing|left out)|\(x0 - x\)/σ²")
def tweedie_without_alpha():
    def sampler(x, t, denoiser, lam):
        score = (denoiser(x, t) - x) / std(t) ** 2
        return -0.5 * beta(t) * x - (1 - lam / 2) * beta(t) * score, np.sqrt((1 - lam) * beta(t))

    return check_reverse_sampler(sampler, VP, prediction="x0")


@wrong("the model is asked at T - t", says=r"(model|score)[^.]*T ?[-−] ?t")
def model_at_reversed_time():
    class Sampler(ReverseSDE):
        def score(self, model, x, t):
            return model(x, 1.0 - t)

    return member(Sampler())


@wrong("the model is asked at 999 t", says=r"(model|asked)[^.]*999")
def model_at_labels():
    class Sampler(ReverseSDE):
        def score(self, model, x, t):
            labels = t * 999
            return -model(x, labels) / std(t)

    return member(Sampler(), prediction="eps")


@wrong("the model is given σ(t) where it takes t", says=r"(model|asked)[^.]*σ\(t\)")
def model_at_sigma():
    def sampler(x, t, score):
        sigma = 0.01 * (50.0 / 0.01) ** t
        g = sigma * np.sqrt(2 * np.log(50.0 / 0.01))
        return -(g**2) * score(x, sigma), g

    return member(sampler, process=GEOMETRIC)


@wrong(
    "the model is asked 1/1000 later",
    says=r"(model|asked)[^.]*t ?\+ ?0\.001|0\.001 (later|too late)",
)
def model_one_index_off():
    class Sampler(ReverseSDE):
        def score(self, model, x, t):
            return model(x, t + 1e-3)

    return member(Sampler())


@wrong("the model is asked at x/α", says=r"(model|asked)[^.]*x/α")
def model_of_unscaled():
    class Sampler(ReverseSDE):
        def score(self, model, x, t):
            return model(x / np.exp(log_mean(t)), t)

    return member(Sampler())


@wrong(
    "the model is never called",
    says=r"never (calls|asks)|is never (called|asked)|does not (call|ask)",
)
def model_unused():
    class Prior(ReverseSDE):
        def score(self, model, x, t):
            return -x  # that of the standard normal

    return member(Prior())


@wrong("x0 is clamped to [-1, 1]", says=r"x0[^.]*(clamp|clip)[^.]*1\b|(clamp|clip)[^.]*x0[^.]*1\b")
def denoised_clipped():
    def sampler(x, t, eps, lam):
        alpha, sigma = np.exp(log_mean(t)), std(t)
        x0 = np.clip((x - sigma * eps(x, t)) / alpha, -1.0, 1.0)
        score = (alpha * x0 - x) / sigma**2
        return -0.5 * beta(t) * x - (1 - lam / 2) * beta(t) * score, np.sqrt((1 - lam) * beta(t))

    return check_reverse_sampler(sampler, VP, prediction="eps")


@wrong("β taken at T - t", says=r"(g|β|schedule|diffusion)[^.]*T ?[-−] ?t")
def schedule_flipped():
    class Sampler(ReverseSDE):
        def sde(self, x, t):
            b = beta(1.0 - t)
            return -0.5 * b * x, np.sqrt(b)

    return member(Sampler())
