"""Wrong scores: signs, factors of σ, other densities, other marginals, fields with a curl."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import GaussianMixture, check_score

MIX = GaussianMixture(
    [0.35, 0.65],
    [[-1.2, 0.4, 0.0], [0.9, -0.7, 1.1]],
    [np.diag([0.5, 0.2, 0.4]), np.array([[0.4, 0.1, 0.0], [0.1, 0.3, 0.1], [0.0, 0.1, 0.6]])],
)
SIGMA = 0.6
DATA = np.random.default_rng(3).normal(size=(20, 5)) * [1.0, 0.5, 1.5, 0.8, 1.2] + 0.3
TOTAL = [c + SIGMA**2 * np.eye(3) for c in MIX.covariances]


def noisy(sigma=SIGMA):
    return MIX.noised(sigma**2 * np.eye(3))


def mean_of(y, data=DATA, sigma=SIGMA):
    logits = -((y[:, None] - data[None]) ** 2).sum(-1) / (2 * sigma**2)
    w = np.exp(logits - logits.max(1, keepdims=True))
    return w @ data / w.sum(1, keepdims=True)


def eps_of(y):
    return (y - mean_of(y)) / SIGMA


@wrong("-ε/σ² in place of -ε/σ", says=r"σ²|divided by (σ|Σ).*(twice|once too often)|1/σ")
def eps_over_variance():
    return check_score(lambda y: -eps_of(y) / SIGMA**2, DATA, SIGMA**2)


@wrong("the network's -ε is not divided by σ", says=r"not divided|root of Σ|times σ|σ times|-E\[ε")
def eps_not_divided():
    return check_score(lambda y: -eps_of(y), DATA, SIGMA**2)


@wrong("ε/σ: the sign is lost", says=r"sign|negative|minus", needs="torch")
def sign_lost():
    import torch

    class ScoreNet(torch.nn.Module):
        def forward(self, y):
            data = torch.tensor(DATA)
            w = torch.softmax(-(torch.cdist(y, data) ** 2) / (2 * SIGMA**2), -1)
            eps = (y - w @ data) / SIGMA
            return eps / SIGMA

    return check_score(ScoreNet(), DATA, SIGMA**2, framework="torch", dtype="float64")


@wrong(
    "the gradient of the density, not of its logarithm",
    says=r"gradient of (the|p's?) density|∇p\b|density (itself|times)",
    needs="torch",
)
def density_gradient():
    import torch

    means = torch.tensor(np.asarray(MIX.means))
    weights = torch.tensor(np.asarray(MIX.weights))
    covs = torch.tensor(np.array(TOTAL))

    def score(y):
        y = y.detach().requires_grad_(True)
        law = torch.distributions.MultivariateNormal(means, covs)
        p = (weights * law.log_prob(y[:, None]).exp()).sum(-1)
        return torch.autograd.grad(p.sum(), y)[0]

    return check_score(score, MIX, SIGMA**2, framework="torch")


@wrong("the components' log-determinants are left out", says=r"normalis|determinant")
def no_normaliser():
    inverses = [np.linalg.inv(c) for c in TOTAL]

    def score(y):
        gaps = [y - m for m in MIX.means]
        logits = np.stack(
            [
                np.log(w) - 0.5 * np.sum((g @ p) * g, 1)
                for w, g, p in zip(MIX.weights, gaps, inverses, strict=True)
            ],
            1,
        )
        r = np.exp(logits - logits.max(1, keepdims=True))
        r /= r.sum(1, keepdims=True)
        return -sum(r[:, [k]] * gaps[k] @ inverses[k] for k in range(2))

    return check_score(score, MIX, SIGMA**2)


@wrong(
    "the prior's weights in place of the responsibilities", says=r"prior's weights|responsib|averag"
)
def average_of_scores():
    inverses = [np.linalg.inv(c) for c in TOTAL]

    def score(y):
        return -sum(
            w * (y - m) @ p for w, m, p in zip(MIX.weights, MIX.means, inverses, strict=True)
        )

    return check_score(score, MIX, SIGMA**2)


@wrong("only the second component", says=r"component 1\b|second component|only .*component")
def one_component():
    inverse = np.linalg.inv(TOTAL[1])
    return check_score(lambda y: -(y - MIX.means[1]) @ inverse, MIX, SIGMA**2)


@wrong("the score of the data, without the noise", says=r"score of x_0|clean|without (the )?noise")
def score_of_the_data():
    return check_score(MIX.score, MIX, SIGMA**2)


@wrong("the score at σ = 0.65 where σ is 0.6", says=r"0\.65\b|0\.4225|0\.422")
def other_level():
    return check_score(noisy(0.65).score, MIX, SIGMA**2)


@wrong("log p is divided by a temperature of 2", says=r"1/2|half|0\.5\b")
def tempered():
    return check_score(lambda y: noisy().score(y) / 2.0, MIX, SIGMA**2)


@wrong("the mean over coordinates, not the sum: 1/d", says=r"1/3\b|1/d\b|0\.333")
def mean_over_coordinates():
    return check_score(lambda y: noisy().score(y) / y.shape[1], MIX, SIGMA**2)


@wrong(
    "a part that is no gradient: a rotation of y is added",
    says=r"curl|not symmetric|asymmetr|antisymmetric|skew|rotation",
)
def with_curl():
    turn = np.array([[0.0, 0.2, 0.0], [-0.2, 0.0, 0.0], [0.0, 0.0, 0.0]])
    return check_score(lambda y: noisy().score(y) + y @ turn, MIX, SIGMA**2)


@wrong(
    "a learned field with a curl between coordinates 0 and 2, no prior",
    says=r"(coordinates )?0 and 2|\(0, 2\)|\(2, 0\)",
)
def curl_without_prior():
    def score(y):
        s = noisy().score(y)
        s[:, 0] += 0.3 * y[:, 2]
        return s

    rows = np.random.default_rng(0).normal(size=(12, 3))
    return check_score(score, None, SIGMA**2, points=rows)


@wrong(
    "trained on standardised data: the chain rule's 1/std is missing",
    says=r"1/std|standardi[sz]ed|standard deviation of the data|data's standard deviation",
)
def chain_rule_missing():
    mean, std = DATA.mean(0), DATA.std(0)

    def score(y):
        # the score of z = (y - mean)/std, handed back as if it were that of y
        s = (mean_of(y) - y) / SIGMA**2
        return s * std

    assert mean.shape == std.shape
    return check_score(score, DATA, SIGMA**2)


@wrong("the score's norm is clipped at 3", says=r"(norm|length).*\b3\b|clip.*\b3\b")
def clipped_norm():
    def score(y):
        s = noisy().score(y)
        norm = np.linalg.norm(s, axis=1, keepdims=True)
        return s * np.minimum(1.0, 3.0 / norm)

    return check_score(score, MIX, SIGMA**2)


@wrong("σ² + 1e-3 in the denominator", says=r"0\.001\b|1e-0?3|0\.997|0\.361")
def epsilon_in_denominator():
    return check_score(lambda y: (mean_of(y) - y) / (SIGMA**2 + 1e-3), DATA, SIGMA**2)


@wrong("α is left out of α E[x0|y] - y", says=r"alpha|α")
def alpha_left_out():
    alpha, sigma = 0.8, 0.6

    def score(x_t):
        x0 = mean_of(x_t / alpha, DATA, sigma / alpha)
        return (x0 - x_t) / sigma**2

    return check_score(score, DATA, sigma**2, alpha=alpha)


@wrong("solved with the Cholesky factor once, not twice", says=r"factor")
def one_triangular_solve():
    cov = np.array([[0.6, 0.2, 0.0], [0.2, 0.5, 0.1], [0.0, 0.1, 0.4]])
    root = np.linalg.cholesky(cov)
    law = MIX.noised(cov)

    def score(y):
        residual = law.score(y) @ cov
        return np.linalg.solve(root, residual.T).T

    return check_score(score, MIX, cov)


@wrong("the second coordinate's sign", says=r"coordinate 1\b")
def one_sign():
    return check_score(lambda y: noisy().score(y) * [1.0, -1.0, 1.0], MIX, SIGMA**2)


@wrong("batch statistics: y is centred by the batch's mean", says=r"rest of the batch|other rows")
def batch_centred():
    return check_score(lambda y: noisy().score(y - y.mean(0) + MIX.mean()), MIX, SIGMA**2)


@wrong(
    "gradient of the expected log-density, responsibilities not detached",
    says=r"responsib|entropy",
    needs="torch",
)
def elbo_gradient():
    import torch

    means = torch.tensor(np.asarray(MIX.means))
    weights = torch.tensor(np.asarray(MIX.weights))
    covs = torch.tensor(np.array(TOTAL))

    def score(y):
        y = y.detach().requires_grad_(True)
        law = torch.distributions.MultivariateNormal(means, covs)
        logs = law.log_prob(y[:, None]) + weights.log()
        value = (torch.softmax(logs, -1) * logs).sum()
        return torch.autograd.grad(value, y)[0]

    return check_score(score, MIX, SIGMA**2, framework="torch")


@wrong("ε of a v-network taken for ε", says=r"\bv\b")
def v_for_eps():
    alpha, sigma = 0.8, 0.6

    def score(x_t):
        x0 = mean_of(x_t / alpha, DATA, sigma / alpha)
        eps = (x_t - alpha * x0) / sigma
        v = alpha * eps - sigma * x0
        return -v / sigma

    return check_score(score, DATA, sigma**2, alpha=alpha)


@wrong(
    "divided by the marginal's variance σ² + σ_data², not by σ²",
    says=r"0\.\d+.*times what is due|divided by",
)
def marginal_variance():
    return check_score(lambda y: (mean_of(y) - y) / (SIGMA**2 + 1.0), DATA, SIGMA**2)


@wrong("a weight decay: -0.01 y is added", says=r"-?0\.01 ?(times|·)? ?(x|y)\b|0\.01.*\bx\b")
def weight_decay():
    return check_score(lambda y: noisy().score(y) - 0.01 * y, MIX, SIGMA**2)


@wrong(
    "the components' covariances without the noise in the score, right responsibilities",
    says=r"without the noise|score of x_0|C⁻¹|gain",
)
def components_without_noise():
    inverses = [np.linalg.inv(c) for c in MIX.covariances]

    def score(y):
        r = noisy().responsibilities(y)
        return -sum(r[:, [k]] * (y - MIX.means[k]) @ inverses[k] for k in range(2))

    return check_score(score, MIX, SIGMA**2)


@wrong("summed over the batch", says=r"batch|rows")
def sum_over_batch():
    def score(y):
        s = noisy().score(y)
        return np.broadcast_to(s.sum(0), s.shape)

    return check_score(score, MIX, SIGMA**2)


@wrong("log10 p: the gradient of the base-10 logarithm", says=r"ln 10|log10|0\.434")
def base_ten():
    return check_score(lambda y: noisy().score(y) / np.log(10), MIX, SIGMA**2)


@wrong("forward differences with h = 0.1", says=r"difference.*0\.1\b")
def differences():
    law = noisy()

    def f(y):
        a = law.log_density(y)
        return np.stack([(law.log_density(y + 0.1 * e) - a) / 0.1 for e in np.eye(3)], 1)

    return check_score(f, MIX, 0.36)


@wrong(
    "the variance of each component lacks the noise in one coordinate", says=r"0\.1 in coordinate 2"
)
def partial():
    cov = np.diag([0.36, 0.36, 0.1])
    return check_score(MIX.noised(cov).score, MIX, 0.36)


@wrong("x_0 in it is clipped to ±1", says=r"x_0 in it .*clipped.*1\b")
def clip_again():
    return check_score(lambda y: (np.clip(mean_of(y), -1, 1) - y) / 0.36, DATA, 0.36)


@wrong("eps-network clipped: ε clipped to ±2", says=r"clipped.* 2\b")
def eps_clip():
    return check_score(lambda y: np.clip(eps_of(y), -2, 2), DATA, 0.36, prediction="eps")


@wrong("score of the t + δ level: σ² 10 % more, with right division", says=r"1\.1\b")
def level():
    return check_score(lambda y: (mean_of(y, DATA, np.sqrt(0.396)) - y) / 0.36, DATA, 0.36)


@wrong("score times σ (the loss's weighting left in) of an ε net", says=r"σ|0\.6\b")
def weighted():
    return check_score(lambda y: 0.6 * noisy().score(y), MIX, 0.36)


@wrong(
    "score + prior's score twice: posterior of a product",
    says=r"score of x_0",
    known="sums of two scores are not tried",
)
def score_of_the_data_added():
    return check_score(lambda y: noisy().score(y) + 0.1 * MIX.score(y), MIX, 0.36)


@wrong("detached log-sum: hard assignment", says=r"largest weight|nearest|mode")
def hard_assignment():
    inv = [np.linalg.inv(c) for c in TOTAL]

    def f(y):
        k = noisy().responsibilities(y).argmax(1)
        return np.stack([-(r - MIX.means[j]) @ inv[j] for r, j in zip(y, k, strict=True)])

    return check_score(f, MIX, 0.36)
