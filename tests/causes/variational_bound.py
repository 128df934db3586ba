"""Wrong variational bounds: guided-diffusion's and improved-diffusion's terms of a table of β."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from causes import wrong
from causes._bounds import BETAS, Diffusion, discretized, normal_kl
from scoreproof import check_variational_bound

SHORT = np.linspace(1e-3, 0.2, 40)


def check(diffusion, **more):
    bound = diffusion.vb_terms_bpd
    return check_variational_bound(bound, variance=diffusion.variance, shape=(3, 2, 2), **more)


@wrong("improved-diffusion: the KL's arguments exchanged", says=r"arguments of the KL.*exchanged")
def swapped():
    class Swapped(Diffusion):
        variance = "learned_range"

        def kl(self, mean1, logvar1, mean2, logvar2):
            return normal_kl(mean2, logvar2, mean1, logvar1)

    return check(Swapped())


@wrong("DDPM: q's variance is β_t", says=r"variance of q\(x_\{t-1\}.*is β_t where β̃_t")
def beta_for_the_posterior_variance():
    class Large(Diffusion):
        def true_logvar(self, t, x):
            return self.at(np.log(self.betas), t, x)

    return check(Large())


@wrong("a variance that is not divided by 1 - ᾱ_t", says=r"q and p is not divided by 1 - ᾱ_t")
def variances_not_over_the_rest():
    class Not(Diffusion):
        def __init__(self):
            super().__init__()
            variance = self.betas * (1 - self.prev)
            self.logvar = np.log(np.append(variance[1], variance[1:]))

    return check(Not())


@wrong("the mean's coefficients exchanged", says=r"coefficients of x_0 and x_t are exchanged")
def coefficients_exchanged():
    class Exchanged(Diffusion):
        def __init__(self):
            super().__init__()
            self.coef1, self.coef2 = self.coef2, self.coef1

    return check(Exchanged())


@wrong("p's log of a variance is the variance", says=r"variance of p.*goes in where its log is")
def variance_for_its_log():
    class Variance(Diffusion):
        def model_logvar(self, second, t, x):
            return self.at(self.posterior_variance, t, x)

    return check(Variance())


@wrong("posterior variance clipped at 1e-20", says=r"clipped at a tiny number.*log β̃_1")
def log_variance_clipped_at_a_tiny_number():
    class Clipped(Diffusion):
        variance = "learned_range"

        def __init__(self):
            super().__init__()
            self.logvar = np.log(np.maximum(self.posterior_variance, 1e-20))

    return check(Clipped())


@wrong("posterior mean with ᾱ_t for ᾱ_{t-1}", says=r"coefficient of x_0.*has ᾱ_t where ᾱ_\{t-1\}")
def no_shift_in_the_mean():
    class Same(Diffusion):
        def __init__(self):
            super().__init__()
            self.coef1 = self.betas * np.sqrt(self.bar) / (1 - self.bar)

    return check(Same())


@wrong("L_0 at t = 1, as where t counts from 1", says=r"L_0 is taken at t = 1 where t = 0")
def decoder_at_one():
    class AtOne(Diffusion):
        last = 1

    return check(AtOne())


@wrong("no L_0 at all", says=r"at t = 0 it is a KL where L_0")
def no_decoder():
    class Never(Diffusion):
        last = -1

    return check(Never())


@wrong("if t[0] == 0 for the whole batch", says=r"first row of a batch decides for all")
def the_first_row_decides():
    class First(Diffusion):
        def vb_terms_bpd(self, model, x_start, x_t, t):
            self.last = t if t[0] == 0 else -1
            return super().vb_terms_bpd(model, x_start, x_t, t)

    return check(First())


@wrong("mean_flat without / log 2", says=r"in nats where bits are due")
def nats():
    class Nats(Diffusion):
        log2 = 1.0

    return check(Nats())


@wrong("sum for mean over the dimensions", says=r"summed over the dimensions where their mean")
def summed():
    class Summed(Diffusion):
        def flat(self, x):
            return x.reshape(len(x), -1).sum(axis=1)

    return check(Summed())


@wrong("the ½ of the KL is missing", says=r"factor ½ of the KL is missing")
def without_half():
    class Whole(Diffusion):
        def kl(self, *four):
            return 2 * normal_kl(*four)

    return check(Whole())


@wrong("ddpm-torch, issue 9: 1 - ᾱ for its log", says=r"takes 1 - ᾱ_T, a variance, for its log")
def prior_of_a_variance():
    class Prior(Diffusion):
        def prior_bpd(self, x_start):
            kl = normal_kl(np.sqrt(self.bar[-1]) * x_start, 1 - self.bar[-1], 0.0, 0.0)
            return self.flat(kl) / np.log(2.0)

    return check_variational_bound(Prior().prior_bpd)


@wrong("L_T of x_0 that is not scaled", says=r"takes x_0 for the mean of q\(x_T \| x_0\)")
def prior_not_scaled():
    class Prior(Diffusion):
        def prior_bpd(self, x_start):
            return self.flat(normal_kl(x_start, np.log(1 - self.bar[-1]), 0.0, 0.0)) / np.log(2.0)

    return check_variational_bound(Prior().prior_bpd)


@wrong("bins of 1/256", says=r"1/256 to either side.*1/255")
def bins_of_256():
    class Bins(Diffusion):
        def nll(self, x, means, log_scales):
            return discretized(x, means, log_scales, half=1 / 256)

    return check(Bins())


@wrong("the whole width of a bin to either side", says=r"2/255 to either side, its whole width")
def bins_twice():
    class Bins(Diffusion):
        def nll(self, x, means, log_scales):
            return discretized(x, means, log_scales, half=2 / 255)

    return check(Bins())


@wrong("the outer bins end", says=r"outer bins of L_0 end")
def edges_closed():
    class Closed(Diffusion):
        def nll(self, x, means, log_scales):
            return discretized(x, means, log_scales, open_ends=False)

    return check(Closed())


@wrong("the cumulative function by tanh, unsaid", says=r"approximation by tanh.*tolerance=0\.05")
def tanh():
    class Approximate(Diffusion):
        def nll(self, x, means, log_scales):
            def cdf(z):
                return 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))

            return discretized(x, means, log_scales, cdf=cdf)

    return check(Approximate())


@wrong("log_scales = log variance", says=r"takes a variance for the standard deviation")
def variance_for_std():
    class Scales(Diffusion):
        scale = staticmethod(lambda logvar: logvar)

    return check(Scales())


@wrong("a learned range the other way round", says=r"learned range runs the other way round")
def range_reversed():
    class Range(Diffusion):
        variance = "learned_range"

        def model_logvar(self, second, t, x):
            return super().model_logvar(-second, t, x)

    return check(Range())


@wrong("a learned range without (v + 1) / 2", says=r"not brought from \[-1, 1\] to \[0, 1\]")
def range_from_zero():
    class Range(Diffusion):
        variance = "learned_range"

        def model_logvar(self, second, t, x):
            return super().model_logvar(2 * second - 1, t, x)

    return check(Range())


@wrong("fixed_large is meant, fixed_small is used", says=r"is β̃_t where β_t is declared")
def small_for_large():
    return check_variational_bound(Diffusion().vb_terms_bpd, variance="fixed_large")


@wrong("the loop averages over t", says=r"averaged over t: their sum is due")
def mean_over_t():
    class Mean(Diffusion):
        def total(self, vb, prior):
            return vb.mean(axis=1) + prior

    return check_variational_bound(Mean(SHORT).calc_bpd_loop)


@wrong("the loop forgets L_T", says=r"L_T is missing in the sum")
def without_the_prior():
    class Without(Diffusion):
        def total(self, vb, prior):
            return vb.sum(axis=1)

    return check_variational_bound(Without(SHORT).calc_bpd_loop)


@wrong("the loop ends before t = 0", says=r"t = 0 is missing from the sum")
def without_the_last_step():
    d = Diffusion(SHORT)

    def calc_bpd_loop(model, x_start, rng):
        total = d.prior_bpd(x_start)
        for k in range(1, 40):
            t = np.full(len(x_start), k)
            x_t = d.q_sample(x_start, t, rng.standard_normal(x_start.shape))
            total = total + d.vb_terms_bpd(model, x_start, x_t, t)["output"]
        return total

    return check_variational_bound(calc_bpd_loop, SHORT)


@wrong("an estimate without T", says=r"factor T is missing")
def without_steps():
    d = Diffusion(SHORT)

    def bpd(model, x0, rng):
        t = rng.integers(0, 40, len(x0))
        x_t = d.q_sample(x0, t, rng.standard_normal(x0.shape))
        return d.vb_terms_bpd(model, x0, x_t, t)["output"] + d.prior_bpd(x0)

    return check_variational_bound(bpd, SHORT)


@wrong("t drawn from 1", says=r"t is drawn from 1 … 39, where 0 … 39 is due")
def drawn_from_one():
    d = Diffusion(SHORT)

    def bpd(model, x0, rng):
        t = rng.integers(1, 40, len(x0))
        x_t = d.q_sample(x0, t, rng.standard_normal(x0.shape))
        return 39 * d.vb_terms_bpd(model, x0, x_t, t)["output"]

    return check_variational_bound(bpd, SHORT)


@wrong("importance sampling without weights", says=r"divided by p\(t\), not multiplied by T")
def without_weights():
    d, p = Diffusion(SHORT), np.sqrt(np.arange(1.0, 41)) / np.sum(np.sqrt(np.arange(1.0, 41)))

    def bpd(model, x0, rng):
        t = rng.choice(40, size=len(x0), p=p)
        x_t = d.q_sample(x0, t, rng.standard_normal(x0.shape))
        return 40 * d.vb_terms_bpd(model, x0, x_t, t)["output"] + d.prior_bpd(x0)

    return check_variational_bound(bpd, SHORT, probabilities=p)


@wrong("the weight with ᾱ_t for α_t", says=r"has ᾱ_t where α_t is due: β_t² / \(2 σ_t²")
def weight_of_bar():
    d = Diffusion()
    weight = BETAS**2 / (2 * np.exp(d.logvar) * d.bar * (1 - d.bar))

    def loss(model, x0, t, noise):
        eps = model(d.q_sample(x0, t, noise), t)
        return weight[t] * ((eps - noise) ** 2).sum(axis=1)

    return check_variational_bound(loss, BETAS, term="L_t")


@wrong("x_t with ᾱ for its root", says=r"x_0 is multiplied by ᾱ_t, not by its root")
def noised_without_root():
    d = Diffusion()

    def loss(model, x0, t, noise):
        x_t = d.bar[t, None] * x0 + np.sqrt(1 - d.bar)[t, None] * noise
        return d.vb_terms_bpd(model, x0, x_t, t)["output"]

    return check_variational_bound(loss, BETAS, units="bits_per_dim")


@wrong("tanh for the cumulative function, and nats", says=r"two at once.*nats where bits.*by tanh")
def tanh_and_nats():
    class Both(Diffusion):
        log2 = 1.0

        def nll(self, x, means, log_scales):
            def cdf(z):
                return 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))

            return discretized(x, means, log_scales, cdf=cdf)

    return check(Both())


@wrong("p's log of the variance of t - 1", says=r"variance of p.*is read at t - 1")
def variance_of_the_time_before():
    class Before(Diffusion):
        def model_logvar(self, second, t, x):
            return self.at(self.logvar, np.maximum(t - 1, 0), x)

    return check(Before())


@wrong("v-prediction: + for - in x_0", says=r"answers has the wrong sign in x̂_0")
def sign_of_v():
    class Sign(Diffusion):
        def vb_terms_bpd(self, model, x_start, x_t, t):
            a, s = self.at(np.sqrt(self.bar), t, x_t), self.at(np.sqrt(1 - self.bar), t, x_t)

            def eps(x, t):
                return (x - a * (a * x + s * model(x, t))) / s

            return super().vb_terms_bpd(eps, x_start, x_t, t)

    return check(Sign(), prediction="v")


@wrong("L_0 in bits, the KL in nats", says=r"L_0 is in bits and the KL of t > 0 in nats")
def kl_in_nats():
    class Nats(Diffusion):
        def kl(self, *four):
            return np.log(2.0) * normal_kl(*four)

    return check(Nats())


@wrong("a bin of 2/255 upwards", says=r"2/255 upwards, its whole width")
def bins_twice_above():
    class Bins(Diffusion):
        def nll(self, x, means, log_scales):
            centered, inv = x - means, np.exp(-log_scales)
            above, below = ndtr(inv * (centered + 2 / 255)), ndtr(inv * (centered - 1 / 255))
            above, below = np.where(x > 0.999, 1.0, above), np.where(x < -0.999, 0.0, below)
            return np.log(np.maximum(above - below, 1e-12))

    return check(Bins())


@wrong("mean_flat of L_0, sum of the KL", says=r"L_0 is averaged.*KL of t > 0 is summed")
def kl_summed():
    class Summed(Diffusion):
        def kl(self, *four):
            return 12 * normal_kl(*four)

    return check(Summed())


@wrong("everything is divided by T", says=r"whole is divided by T")
def all_over_steps():
    class Over(Diffusion):
        def total(self, vb, prior):
            return (vb.sum(axis=1) + prior) / 40

    return check_variational_bound(Over(SHORT).calc_bpd_loop)


@wrong("L_t by SNR(t) - SNR(t+1)", says=r"weight is taken at t \+ 1")
def snr_one_later():
    snr = Diffusion().bar / (1 - Diffusion().bar)

    def loss(model, x0, x_t, t):
        after = np.append(snr[1:], 0.0)
        return 0.5 * (snr - after)[t] * ((x0 - model(x_t, t)) ** 2).sum(axis=1)

    return check_variational_bound(loss, BETAS, term="L_t", prediction="x0")


@wrong("L_T: the log of a standard deviation", says=r"log of the ratio.*halved once too often")
def prior_log_halved():
    bar = Diffusion().bar[-1]

    def prior(x0):
        return 0.5 * (bar * x0**2 - bar - 0.5 * np.log(1 - bar)).sum(axis=1)

    return check_variational_bound(prior, BETAS)
