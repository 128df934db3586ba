"""Wrong denoisers of rows, as people write them: kernel regressions, Kalman updates, units."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import Atoms, check_denoiser

RNG = np.random.default_rng(7)
SPREAD = np.array([1.2, 0.8, 0.5, 1.0])
DATA = RNG.normal(size=(24, 4)) * SPREAD + [0.4, -0.3, 1.0, 0.2]
IMAGES = RNG.uniform(0, 1, size=(30, 6))  # pixel values in [0, 1]
SIGMA = 0.7
CORRELATED = np.array([[0.6, 0.25, 0.0], [0.25, 0.9, -0.2], [0.0, -0.2, 0.5]])


def squares(y, x):
    return ((y[:, None, :] - x[None, :, :]) ** 2).sum(-1)


def softmax(logits, axis=-1):
    e = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def right(y, data=DATA, sigma=SIGMA):
    return softmax(-squares(y, data) / (2 * sigma**2)) @ data


@wrong("the distance is not squared in the exponent", says=r"not squared|without (the|its) square")
def laplace_kernel():
    def denoise(y):
        d = np.linalg.norm(y[:, None] - DATA[None], axis=-1)
        return softmax(-d / SIGMA) @ DATA

    return check_denoiser(denoise, DATA, SIGMA**2)


@wrong(
    "the factor 2 is missing in the exponent: σ² is half as large",
    says=r"half the noise variance|factor 2 .*exponent|variance is 0?\.?(5|245)",
)
def no_two_in_exponent():
    return check_denoiser(lambda y: softmax(-squares(y, DATA) / SIGMA**2) @ DATA, DATA, SIGMA**2)


@wrong(
    "2σ in place of 2σ² in the exponent",
    says=r"standard deviation stands where a variance|σ (stands )?(for|where) σ²",
)
def sigma_for_variance():
    return check_denoiser(lambda y: softmax(-squares(y, DATA) / (2 * SIGMA)) @ DATA, DATA, SIGMA**2)


@wrong("the logits are multiplied by a temperature of 0.6", says=r"0\.6\b|1\.67|1\.66667|5/3")
def temperature():
    def denoise(y):
        return softmax(0.6 * -squares(y, DATA) / (2 * SIGMA**2)) @ DATA

    return check_denoiser(denoise, DATA, SIGMA**2)


@wrong(
    "the squared distance is averaged over the coordinates, not summed",
    says=r"mean over|averag|dimension \(4\)|× d\b|d times|times d\b|= d\b",
)
def mean_of_squares():
    def denoise(y):
        d2 = ((y[:, None] - DATA[None]) ** 2).mean(-1)
        return softmax(-d2 / (2 * SIGMA**2)) @ DATA

    return check_denoiser(denoise, DATA, SIGMA**2)


@wrong("the weights are not divided by their sum", says=r"not (normali[sz]ed|divided by their sum)")
def unnormalised():
    def denoise(y):
        w = np.exp(-squares(y, DATA) / (2 * SIGMA**2))
        return w @ DATA

    return check_denoiser(denoise, DATA, SIGMA**2)


@wrong("the data's weights are ignored", says=r"weights were taken as equal|equal weights")
def weights_ignored():
    weights = np.linspace(1, 4, len(DATA)) / np.linspace(1, 4, len(DATA)).sum()
    return check_denoiser(right, Atoms(DATA, weights), SIGMA**2)


@wrong("softmax over the batch (dim=0)", says=r"rest of the batch.*axis", needs="torch")
def softmax_over_batch():
    import torch

    data = torch.tensor(DATA)

    def denoise(y):
        logits = -(torch.cdist(y, data) ** 2) / (2 * SIGMA**2)
        return torch.softmax(logits, dim=0) @ data

    return check_denoiser(denoise, DATA, SIGMA**2, framework="torch")


@wrong("the nearest datum (argmin) in place of the mean", says=r"nearest|largest weight")
def nearest_neighbour():
    return check_denoiser(lambda y: DATA[np.argmin(squares(y, DATA), axis=1)], DATA, SIGMA**2)


@wrong("only the five nearest data are averaged", says=r"5 nearest|nearest 5|five nearest")
def top_k():
    def denoise(y):
        d2 = squares(y, DATA)
        near = np.argsort(d2, axis=1)[:, :5]
        w = softmax(-np.take_along_axis(d2, near, 1) / (2 * SIGMA**2))
        return np.einsum("mk,mkd->md", w, DATA[near])

    return check_denoiser(denoise, DATA, SIGMA**2)


@wrong("the last 8 data are never used", says=r"data 16.* (no weight|weight 0|left out|missing)")
def half_the_data():
    return check_denoiser(lambda y: right(y, DATA[:16]), DATA, SIGMA**2)


@wrong("x0 is clipped to [-1, 1]", says=r"clip.* (±1\b|\[?-1)")
def clipped():
    return check_denoiser(lambda y: np.clip(right(y), -1, 1), DATA, SIGMA**2)


@wrong("made for data in [-1, 1], given data in [0, 1]", says=r"2 \*? ?x(_0)? ?- ?1|\[-1, 1\]")
def wrong_range():
    scaled = 2 * IMAGES - 1
    return check_denoiser(lambda y: right(y, scaled, 0.4), IMAGES, 0.4**2)


@wrong("the output is left in [-1, 1], the input was rescaled", says=r"2 .*- ?1|\[-1, 1\]")
def output_units():
    class Denoiser:
        def __call__(self, y):
            x0 = right(y, IMAGES, 0.4)
            return x0 * 2.0 - 1.0

    return check_denoiser(Denoiser(), IMAGES, 0.4**2)


@wrong(
    "the mean of the data was subtracted and not added again",
    says=r"mean .*(not|never) added|(minus|without) the (prior's|data's) mean|mean was subtracted",
)
def mean_not_added():
    mean = DATA.mean(0)
    centred = DATA - mean
    return check_denoiser(lambda y: right(y - mean, centred), DATA, SIGMA**2)


@wrong("trained on standardised data", says=r"standardi[sz]ed|standard deviation 1|unit variance")
def standardised():
    data = (DATA - DATA.mean(0)) / DATA.std(0)
    return check_denoiser(lambda y: right(y, data), DATA, SIGMA**2)


@wrong("not divided by √ᾱ", says=r"alpha|α")
def alpha_left_in():
    alpha = 0.8

    def denoise(x_t):
        x0 = right(x_t / alpha, DATA, 0.6 / alpha)
        eps = (x_t - alpha * x0) / 0.6
        return x_t - 0.6 * eps

    return check_denoiser(denoise, DATA, 0.36, alpha=alpha)


@wrong("divided by ᾱ in place of √ᾱ", says=r"divided by alpha twice|ᾱ|α²")
def alpha_bar_for_its_root():
    alpha_bar = 0.64

    def denoise(x_t):
        x0 = right(x_t / 0.8, DATA, 0.6 / 0.8)
        eps = (x_t - 0.8 * x0) / 0.6
        return (x_t - 0.6 * eps) / alpha_bar

    return check_denoiser(denoise, DATA, 0.36, alpha=0.8)


@wrong("the distance is weighted with Σ where Σ⁻¹ is due", says=r"Σ⁻¹|inverse")
def covariance_not_inverted():
    data = DATA[:, :3]

    def denoise(y):
        gap = y[:, None] - data
        return softmax(-0.5 * np.einsum("mki,ij,mkj->mk", gap, CORRELATED, gap)) @ data

    return check_denoiser(denoise, data, CORRELATED)


@wrong("only the diagonal of Σ is used", says=r"diagonal")
def diagonal_only():
    data = DATA[:, :3]

    def denoise(y):
        gap = (y[:, None] - data) / np.sqrt(np.diag(CORRELATED))
        return softmax(-0.5 * (gap**2).sum(-1)) @ data

    return check_denoiser(denoise, data, CORRELATED)


@wrong("coordinate 3 is 2 % too large", says=r"1\.02\b.*coordinate 3|coordinate 3.*1\.02\b")
def one_coordinate():
    def denoise(y):
        out = right(y)
        out[:, 3] *= 1.02
        return out

    return check_denoiser(denoise, DATA, SIGMA**2)


@wrong("the coordinates come back in reverse order", says=r"revers|permut|order of the coordinates")
def reversed_channels():
    return check_denoiser(lambda y: right(y)[:, ::-1], DATA, SIGMA**2)


@wrong("an offset of 0.001", says=r"0\.001\b.*(add|offset|more)|(add|offset|constant).*0\.001\b")
def offset():
    return check_denoiser(lambda y: right(y) + 1e-3, DATA, SIGMA**2)


@wrong("computed in half precision", says=r"float16|half precision", needs="torch")
def half_precision():
    import torch

    data = torch.tensor(DATA).half()

    def denoise(y):
        h = y.half()
        logits = -((h[:, None] - data) ** 2).sum(-1) / (2 * SIGMA**2)
        return (torch.softmax(logits, -1) @ data).to(y.dtype)

    return check_denoiser(denoise, DATA, SIGMA**2, framework="torch")


@wrong(
    "dynamic thresholding: a sample is divided by its largest entry, if above 1",
    says=r"largest (absolute )?(entry|value)|thresholding",
)
def dynamic_threshold():
    def denoise(y):
        x0 = right(y)
        return x0 / np.maximum(1.0, np.abs(x0).max(axis=1, keepdims=True))

    return check_denoiser(denoise, DATA, SIGMA**2)


@wrong("the noise is read as precision: 1/σ² for σ²", says=r"1/σ²|inverse|precision|2\.04|4\.16")
def precision():
    def denoise(y):
        return softmax(-squares(y, DATA) * SIGMA**2 / 2) @ DATA

    return check_denoiser(denoise, DATA, SIGMA**2)


@wrong(
    "the data are float32 and shuffled wrongly: coordinate 1 and 2 of the data exchanged",
    says=r"denoiser of data.*(exchang|order)|exchang.*data",
)
def columns_of_the_data():
    shuffled = DATA[:, [0, 2, 1, 3]]
    return check_denoiser(lambda y: right(y, shuffled), DATA, SIGMA**2)


@wrong(
    "y is scaled by c_in before it is compared with the data",
    says=r"x is (given|scaled|multiplied)|0\.819|in other units",
)
def input_scaled():
    c_in = 1 / np.sqrt(SIGMA**2 + 1.0)
    return check_denoiser(lambda y: right(c_in * y), DATA, SIGMA**2)


@wrong(
    "a mixture of its neighbours: 90 % of the mean and 10 % of y", says=r"0\.9\b.*E\[x_0 \| x\].* x"
)
def leaky():
    return check_denoiser(lambda y: 0.9 * right(y) + 0.1 * y, DATA, SIGMA**2)


@wrong("the answer is rounded to bytes", says=r"bytes|256|1/255|quanti")
def as_bytes():
    data = IMAGES * 2 - 1

    def denoise(y):
        x0 = right(y, data, 0.5)
        return ((x0 + 1) * 127.5).round() / 127.5 - 1

    return check_denoiser(denoise, data, 0.25)


@wrong(
    "the median of the data by weight in place of the mean",
    says=r"median|mode|at .* points|in .* coordinates|No known fault",
)
def rows_in_order():
    def denoise(y):
        order = np.argsort(y[:, 0])
        return right(y[order])  # sorted, and never unsorted

    return check_denoiser(denoise, DATA, SIGMA**2)


@wrong("logits divided by √d, as in attention", says=r"√d|2\.449|√6")
def attention():
    return check_denoiser(
        lambda y: softmax(-squares(y, IMAGES) / (2 * 0.16) / np.sqrt(6)) @ IMAGES, IMAGES, 0.16
    )


@wrong("the noise is returned: y - x0", says=r"noise was returned|E\[Z|ε")
def noise():
    return check_denoiser(lambda y: y - right(y), DATA, 0.49)


@wrong(
    "inpainting: the last two coordinates are passed through",
    says=r"coordinates 2, 3.*as they went in",
)
def passed():
    def f(y):
        out = right(y)
        out[:, 2:] = y[:, 2:]
        return out

    return check_denoiser(f, DATA, 0.49)


@wrong("1e-2 is added to the sum of the weights", says=r"sum of the weights|denominator")
def eps():
    def f(y):
        w = np.exp(-squares(y, DATA) / (2 * 0.49))
        return w @ DATA / (w.sum(1, keepdims=True) + 1e-2)

    return check_denoiser(f, DATA, 0.49)


@wrong("every third datum is dropped", says=r"data 0, 3, 6|left out")
def thinned():
    keep = np.arange(24) % 3 != 0
    return check_denoiser(lambda y: right(y, DATA[keep]), DATA, 0.49)


@wrong("nonlinear, tolerance given (nothing should be claimed)", says=r"No known fault")
def learned_tolerance():
    return check_denoiser(
        lambda y: right(y) + 0.2 * np.tanh(y @ np.ones((4, 4)) / 3), DATA, 0.49, tolerance=0.02
    )


@wrong("kernel with Student weights, 1/(1+d²/2σ²)", says=r"Student|No known fault")
def student():
    def f(y):
        w = 1 / (1 + squares(y, DATA) / (2 * 0.49))
        return w @ DATA / w.sum(1, keepdims=True)

    return check_denoiser(f, DATA, 0.49)


@wrong("σ² + 1e-2 against division by zero in the exponent", says=r"0\.01\b|1\.0204")
def small_number_in_variance():
    return check_denoiser(
        lambda y: softmax(-squares(y, DATA) / (2 * 0.49 + 2e-2)) @ DATA, DATA, 0.49
    )


@wrong("negated output", says=r"negative|sign")
def negated():
    return check_denoiser(lambda y: -right(y), DATA, 0.49)


@wrong("gradient clipped per entry in the score correction: y + clip(σ² s, ±0.5)", says=r"clip")
def correction_clipped():
    return check_denoiser(lambda y: y + np.clip(right(y) - y, -0.5, 0.5), DATA, 0.49)


@wrong(
    "cosine distance in place of Euclidean",
    says=r"cosine|normali[sz]ed to length",
    known="no kernel but powers of the distance is tried",
)
def cosine():
    def f(y):
        c = (y @ DATA.T) / np.linalg.norm(y, axis=1, keepdims=True) / np.linalg.norm(DATA, axis=1)
        return softmax(c / 0.49) @ DATA

    return check_denoiser(f, DATA, 0.49)


@wrong("dot product logits: -|x|²/2σ² is missing", says=r"\|x_0\|²/\(2σ²\) is left out")
def dot_product():
    return check_denoiser(lambda y: softmax(y @ DATA.T / 0.49) @ DATA, DATA, 0.49)
