"""Wrong marginals, as they are written: drift, diffusion, and the law they are declared to have."""

from __future__ import annotations

import math

import numpy as np

from causes import wrong
from scoreproof import check_marginals

B0, B1 = 0.1, 20.0
LOW, HIGH = 0.01, 50.0


class VPSDE:
    """In the style of score_sde; subclasses have a fault each."""

    def beta(self, t):
        return B0 + t * (B1 - B0)

    def log_mean(self, t):
        return -0.25 * t**2 * (B1 - B0) - 0.5 * t * B0

    def drift(self, x, t):
        return -0.5 * self.beta(t) * x

    def diffusion(self, t):
        return np.sqrt(self.beta(t))

    def std(self, t):
        return np.sqrt(1.0 - np.exp(2.0 * self.log_mean(t)))

    def marginal_prob(self, x, t):
        return np.exp(self.log_mean(t)) * x, self.std(t)


def judged(sde, **more):
    return check_marginals(sde.drift, sde.diffusion, sde.marginal_prob, **more)


@wrong(
    "the variance is returned where the std is due",
    says=r"variance where a (std|standard deviation)|variance_for_std",
)
def variance_returned():
    class SDE(VPSDE):
        def std(self, t):
            return 1.0 - np.exp(2.0 * self.log_mean(t))

    return judged(SDE())


@wrong("σ(0) is not subtracted", says=r"σ\(0\)|σ_0|blurred")
def sigma_zero():
    def marginal(x, t):
        return x, LOW * (HIGH / LOW) ** t

    def diffusion(t):
        return LOW * (HIGH / LOW) ** t * math.sqrt(2 * (math.log(HIGH) - math.log(LOW)))

    return check_marginals(lambda x, t: 0 * x, diffusion, marginal)


@wrong(
    "√(2 log) left out of g", says=r"ρ = σ|g[^.]*σ\(t\)|√\(2 ln|factor (4\.13|17\.0|0\.0587|0\.242)"
)
def geometric_without_root():
    def marginal(x, t):
        return x, LOW * np.sqrt((HIGH / LOW) ** (2 * t) - 1)

    return check_marginals(lambda x, t: 0 * x, lambda t: LOW * (HIGH / LOW) ** t, marginal)


@wrong("base-10 logarithm in g", says=r"log10|base[- ]10|ln 10|decimal")
def geometric_log10():
    def marginal(x, t):
        return x, LOW * np.sqrt((HIGH / LOW) ** (2 * t) - 1)

    def diffusion(t):
        return LOW * (HIGH / LOW) ** t * math.sqrt(2 * math.log10(HIGH / LOW))

    return check_marginals(lambda x, t: 0 * x, diffusion, marginal)


@wrong("log α without its ½, in both", says=r"log α = -∫β where -½ ∫β|½[^.]*missing|α²[^.]*where α")
def log_mean_without_half():
    class SDE(VPSDE):
        def log_mean(self, t):
            return -0.5 * t**2 * (B1 - B0) - t * B0

    return judged(SDE())


@wrong(
    "∫β without the ½ of t²/2",
    says=r"t²|½ ?t|1/2[^.]*integral|integral[^.]*½|β ?t|t β\(t\)|∫β[^.]*½",
)
def integral_without_half():
    class SDE(VPSDE):
        def log_mean(self, t):
            return -0.5 * (B0 * t + (B1 - B0) * t**2)

    return judged(SDE())


@wrong("the mean's coefficient is α²", says=r"log α = -∫β[^.]*mean only|α²")
def alpha_bar_for_root():
    class SDE(VPSDE):
        def marginal_prob(self, x, t):
            alpha_bar = np.exp(2 * self.log_mean(t))
            return alpha_bar * x, np.sqrt(1 - alpha_bar)

    return judged(SDE())


@wrong(
    "the mean is not scaled by α", says=r"mean is x0, without its factor|α[^.]*(missing|left out)"
)
def mean_unscaled():
    class SDE(VPSDE):
        def marginal_prob(self, x, t):
            return x, self.std(t)

    return judged(SDE())


@wrong("√(1-α) where √(1-α²) is due", says=r"√\(1-α\) where √\(1-α²\)")
def std_of_root():
    class SDE(VPSDE):
        def std(self, t):
            return np.sqrt(1 - np.exp(self.log_mean(t)))

    return judged(SDE())


@wrong(
    "the marginal is that of T - t",
    says=r"mean and standard deviation are those of[^.]*T ?[-−] ?t",
)
def marginal_reversed():
    class SDE(VPSDE):
        def log_mean(self, t):
            return super().log_mean(1 - t)

    return judged(SDE())


@wrong("β at T - t in drift and diffusion", says=r"(drift and diffusion|β) at T ?[-−] ?t")
def coefficients_reversed():
    class SDE(VPSDE):
        def beta(self, t):
            return B1 + t * (B0 - B1)

    return judged(SDE())


@wrong("t/T where t is due", says=r"of time T t \(T = 10\), not of t")
def time_over_horizon():
    class SDE(VPSDE):
        def beta(self, t):
            return super().beta(t / 10) / 10

        def log_mean(self, t):
            return super().log_mean(t)

    return judged(SDE(), horizon=10.0)


@wrong(
    "the table is read one index late",
    says=r"(t ?[+-] ?0\.00[12]\b|one (index|step|entry)|0\.001 (later|earlier))",
)
def table_one_late():
    class SDE(VPSDE):
        def marginal_prob(self, x, t):
            return super().marginal_prob(x, t + 1 / 1000)

    return judged(SDE())


@wrong("log σ² is returned, halved nowhere", says=r"returns log σ²|log_variance")
def log_variance():
    class SDE(VPSDE):
        def std(self, t):
            return np.log(1.0 - np.exp(2.0 * self.log_mean(t)))

    return judged(SDE())


@wrong("σ/α, the level of the rescaled coordinate", says=r"σ/α|divided by α")
def karras_level():
    class SDE(VPSDE):
        def std(self, t):
            a = np.exp(2 * self.log_mean(t))
            return np.sqrt((1 - a) / a)

    return judged(SDE())


@wrong("the std is wrong in coordinate 1 only", says=r"coordinate 1 of 2\b[^.]*")
def second_coordinate():
    rates = np.array([0.5, 2.0])

    def marginal(x, t):
        return x * np.exp(-rates * t), np.sqrt((1 - np.exp(-2 * rates * t)) / (2 * rates) * [1, 2])

    return check_marginals(lambda x, t: -rates * x, lambda t: 1.0, marginal)


@wrong("g² is returned for g", says=r"ρ² where ρ is due|g² (where|for) g|rate_squared_again")
def rate_for_coefficient():
    class SDE(VPSDE):
        def diffusion(self, t):
            return self.beta(t)

    return judged(SDE())


@wrong("the variance of OU without its 2", says=r"rate_no_two|factor 2|2 times|twice|½")
def ou_without_two():
    theta, s = 1.5, 0.7

    def marginal(x, t):
        return x * np.exp(-theta * t), s * np.sqrt((1 - np.exp(-2 * theta * t)) / theta)

    return check_marginals(lambda x, t: -theta * x, lambda t: s, marginal)


@wrong("1 - e^{-θt} where 1 - e^{-2θt} is due", says=r"√\(1-α\)|1 ?- ?α\b[^.]*1 ?- ?α²|e\^")
def ou_exponent():
    theta, s = 1.5, 0.7

    def marginal(x, t):
        return x * np.exp(-theta * t), s * np.sqrt((1 - np.exp(-theta * t)) / (2 * theta))

    return check_marginals(lambda x, t: -theta * x, lambda t: s, marginal)


@wrong(
    "the long-run mean is added without its 1 - e^{-θt}",
    says=r"(x0|mean|shift)[^.]*(μ|long-run|constant|not by x0|independent of x0|offset)",
)
def ou_mean():
    theta, mu = 1.5, 0.8

    def marginal(x, t):
        return x * np.exp(-theta * t) + mu, np.sqrt((1 - np.exp(-2 * theta * t)) / (2 * theta))

    return check_marginals(lambda x, t: theta * (mu - x), lambda t: 1.0, marginal)


@wrong("std clamped from below at 0.1", says=r"(clamp|clipp)ed[^.]* 0\.1\b")
def std_clamped():
    class SDE(VPSDE):
        def std(self, t):
            return np.maximum(super().std(t), 0.1)

    return judged(SDE())


@wrong("a std 1.1 times too large", says=r"1\.1\b")
def std_factor():
    class SDE(VPSDE):
        def std(self, t):
            return 1.1 * super().std(t)

    return judged(SDE())
