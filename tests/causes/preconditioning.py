"""Wrong preconditionings, in the styles of EDM, k-diffusion, diffusers and consistency models."""

from __future__ import annotations

import math

import numpy as np

from causes import wrong
from scoreproof import check_preconditioning

SD = 0.5


class Precond:
    """In EDM's style; the parts that a subject gets wrong are its methods."""

    def __init__(self, model=None, sigma_data=SD):
        self.model = model or (lambda x, t: x)
        self.sigma_data = sigma_data

    def skip(self, s):
        return self.sigma_data**2 / (s**2 + self.sigma_data**2)

    def out(self, s):
        return s * self.sigma_data / (s**2 + self.sigma_data**2) ** 0.5

    def into(self, s):
        return 1 / (s**2 + self.sigma_data**2) ** 0.5

    def told(self, s):
        return np.log(s) / 4

    def __call__(self, x, sigma):
        s = np.reshape(sigma, (-1, *[1] * (x.ndim - 1)))
        inner = self.model(self.into(s) * x, self.told(np.ravel(s)))
        return self.skip(s) * x + self.out(s) * inner


def scalings(sigma):
    total = sigma**2 + SD**2
    return SD**2 / total, sigma * SD / total**0.5, 1 / total**0.5


@wrong("σ_data = 1 in c_skip only", says=r"c_skip: σ_data is 1\b")
def one_sigma_data():
    class Wrong(Precond):
        def skip(self, s):
            return 1 / (s**2 + 1)

    return check_preconditioning(Wrong(), sigma_data=SD)


@wrong(
    "c_in and c_out exchanged in the tuple",
    says=r"c_out.* is c_in.*c_in.* is c_out|exchanged|swapped",
)
def exchanged():
    def get_scalings(sigma):
        c_skip, c_out, c_in = scalings(sigma)
        return c_skip, c_in, c_out

    return check_preconditioning(get_scalings, sigma_data=SD)


@wrong("log10 for the natural logarithm", says=r"decimal|log10|log₁₀")
def decimal_logarithm():
    class Wrong(Precond):
        def told(self, s):
            return np.log10(s) / 4

    return check_preconditioning(Wrong(), sigma_data=SD)


@wrong(
    "the network is told log σ², halved: log(σ²)/4",
    says=r"half of log σ|σ was squared|log σ²|log\(σ²\)|2 times",
)
def log_variance():
    class Wrong(Precond):
        def told(self, s):
            return np.log(s**2) / 4

    return check_preconditioning(Wrong(), sigma_data=SD)


@wrong(
    "the network is told log(σ/σ_data)/4",
    says=r"log\(σ ?/ ?σ_data\)|constant.*0\.1733|0\.1733.*(offset|constant|add|more)",
)
def told_relative():
    class Wrong(Precond):
        def told(self, s):
            return np.log(s / self.sigma_data) / 4

    return check_preconditioning(Wrong(), sigma_data=SD)


@wrong("the square root of c_out is missing", says=r"square root is missing", needs="torch")
def no_root():
    import torch

    class Wrong(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = torch.nn.Identity()
            self.sigma_data = SD

        def forward(self, x, sigma):
            s = sigma.reshape(-1, 1)
            d = self.sigma_data
            c_out = s * d / (s**2 + d**2)
            f = self.net(x / (s**2 + d**2).sqrt(), sigma.log().flatten() / 4)
            return d**2 / (s**2 + d**2) * x + c_out * f

    return check_preconditioning(Wrong(), sigma_data=SD, framework="torch")


@wrong(
    "the input is scaled twice: by the pipeline and by the wrapper",
    says=r"square|twice|1 / \(σ² \+ σ_data²\)",
)
def scaled_twice():
    class Wrong(Precond):
        def __call__(self, x, sigma):
            s = np.reshape(sigma, (-1, 1))
            x_in = self.into(s) * x
            inner = self.model(self.into(s) * x_in, self.told(np.ravel(s)))
            return self.skip(s) * x + self.out(s) * inner

    return check_preconditioning(Wrong(), sigma_data=SD)


@wrong(
    "c_skip is multiplied with the scaled input", says=r"c_skip.*c_in|c_in.*c_skip|scaled (input|x)"
)
def skip_of_the_scaled():
    class Wrong(Precond):
        def __call__(self, x, sigma):
            s = np.reshape(sigma, (-1, 1))
            x = self.into(s) * x
            return self.skip(s) * x + self.out(s) * self.model(x, self.told(np.ravel(s)))

    return check_preconditioning(Wrong(), sigma_data=SD)


@wrong("σ is clamped at 0.02 below", says=r"0\.02\b")
def clamped():
    class Wrong(Precond):
        def __call__(self, x, sigma):
            return super().__call__(x, np.maximum(sigma, 0.02))

    return check_preconditioning(Wrong(), sigma_data=SD)


@wrong(
    "a consistency model's scalings: σ - σ_min for σ",
    says=r"σ ?- ?(σ_min|0?\.?002)|0\.002.*(less|subtract)|consistency",
)
def consistency():
    sigma_min = 0.002

    def get_scalings(sigma):
        c_skip = SD**2 / ((sigma - sigma_min) ** 2 + SD**2)
        c_out = (sigma - sigma_min) * SD / (sigma**2 + SD**2) ** 0.5
        return c_skip, c_out, 1 / (sigma**2 + SD**2) ** 0.5

    return check_preconditioning(
        get_scalings, sigma_data=SD, sigmas=[0.01, 0.05, 0.2, 0.5, 1.0, 5.0, 20.0, 80.0]
    )


@wrong(
    "the variance is passed for σ",
    says=r"σ² (was |is )?(passed|given|stands|in place|for)|variance",
)
def variance_passed():
    inner = Precond()
    return check_preconditioning(
        lambda network: lambda x, sigma: Precond(network)(x, sigma**2), sigma_data=inner.sigma_data
    )


@wrong("x is not added: c_skip is missing", says=r"c_skip.*(is 0|not added|missing)")
def no_skip():
    class Wrong(Precond):
        def skip(self, s):
            return 0.0 * s

    return check_preconditioning(Wrong(), sigma_data=SD)


@wrong("c_out has the sign of an ε-network's", says=r"sign|-1 times|negative")
def sign_of_c_out():
    class Wrong(Precond):
        def out(self, s):
            return -s * self.sigma_data / (s**2 + self.sigma_data**2) ** 0.5

    return check_preconditioning(Wrong(), sigma_data=SD)


@wrong("an ε-network's wrapper adds σ ε", says=r"sign|-1 times|negative")
def eps_added():
    return check_preconditioning(
        lambda model: (
            lambda x, sigma: (
                x
                + np.reshape(sigma, (-1, 1))
                * model(x / np.sqrt(np.reshape(sigma, (-1, 1)) ** 2 + 1), sigma)
            )
        ),
        form="eps",
    )


@wrong(
    "σ_data is squared once too often in c_in", says=r"0\.25\b|σ_data⁴|σ_data is .*σ_data²|squared"
)
def sigma_data_squared():
    class Wrong(Precond):
        def into(self, s):
            return 1 / np.sqrt(s**2 + self.sigma_data**4)

    return check_preconditioning(Wrong(), sigma_data=SD)


@wrong(
    "σ of the first sample for the whole batch",
    says=r"rows are mixed|σ of others|its own σ|σ of row|σ of the first",
)
def first_sigma():
    class Wrong(Precond):
        def __call__(self, x, sigma):
            first = np.full(len(x), np.ravel(sigma)[0])
            return super().__call__(x, first)

    return check_preconditioning(Wrong(), sigma_data=SD)


@wrong("the c_noise of a VE network, log(σ/2)", says=r"log\(σ ?/ ?2\)|form='ve'|VE")
def ve_noise():
    return check_preconditioning(
        {
            "c_skip": lambda s: SD**2 / (s**2 + SD**2),
            "c_out": lambda s: s * SD / math.sqrt(s**2 + SD**2),
            "c_in": lambda s: 1 / math.sqrt(s**2 + SD**2),
            "c_noise": lambda s: math.log(0.5 * s),
        },
        sigma_data=SD,
    )


@wrong(
    "σ_data = 1 where the data have standard deviation 0.5",
    says=r"σ_data is 1\b.*0\.5|sigma_data = 0\.49",
)
def spread_of_the_data():
    data = np.random.default_rng(1).normal(0, 0.5, size=(2000, 8))
    return check_preconditioning(Precond(sigma_data=1.0), data=data)


@wrong("D is clipped to [-1, 1]", says=r"clips? .*(±1\b|\[-1, 1\])")
def clipped():
    class Wrong(Precond):
        def __call__(self, x, sigma):
            return np.clip(super().__call__(x, sigma), -1, 1)

    return check_preconditioning(Wrong(), sigma_data=SD)


@wrong("c_out has no σ_data: σ/√(σ² + σ_data²)", says=r"σ_data is missing")
def no_sigma_data_in_c_out():
    class Wrong(Precond):
        def out(self, s):
            return s / np.sqrt(s**2 + self.sigma_data**2)

    return check_preconditioning(Wrong(), sigma_data=SD)


@wrong(
    "c_in is multiplied by σ_data (EDM2's unit-variance input, twice)", says=r"0\.5\b.*times|half"
)
def c_in_times_sigma_data():
    class Wrong(Precond):
        def into(self, s):
            return self.sigma_data / np.sqrt(s**2 + self.sigma_data**2)

    return check_preconditioning(Wrong(), sigma_data=SD)


@wrong("the network is told 1000 log(σ)/4", says=r"1000")
def thousandfold():
    class Wrong(Precond):
        def told(self, s):
            return 1000 * 0.25 * np.log(s)

    return check_preconditioning(Wrong(), sigma_data=SD)


@wrong("σ + 1e-4 for σ, against division by 0", says=r"0\.0001\b|1e-0?4")
def small_number_added():
    class Wrong(Precond):
        def __call__(self, x, sigma):
            return super().__call__(x, sigma + 1e-4)

    return check_preconditioning(Wrong(), sigma_data=SD)


@wrong("a v-network's scalings declared as EDM's", says=r"form='v'")
def v_scalings():
    def get_scalings(sigma):
        return 1 / (sigma**2 + 1), -sigma / (sigma**2 + 1) ** 0.5, 1 / (sigma**2 + 1) ** 0.5

    return check_preconditioning(get_scalings, sigma_data=SD)


@wrong("c_out under the root without squares", says=r"√\(σ \+ σ_data\)")
def unsquared():
    return check_preconditioning(
        {"c_out": lambda s: s * 0.5 / np.sqrt(s + 0.5), "c_in": lambda s: 1 / np.sqrt(s**2 + 0.25)},
        sigma_data=0.5,
    )


@wrong("c_noise clipped at -1", says=r"-1\b")
def noise_clipped():
    return check_preconditioning(
        {"c_noise": lambda s: max(np.log(s) / 4, -1.0), "c_in": lambda s: 1 / np.sqrt(s**2 + 0.25)},
        sigma_data=0.5,
    )


@wrong("c_noise = log(σ²)/8 + 1", says=r"1 more|\+ 1|plus 1")
def noise_offset():
    return check_preconditioning(
        {"c_noise": lambda s: np.log(s) / 4 + 1, "c_in": lambda s: 1 / np.sqrt(s**2 + 0.25)},
        sigma_data=0.5,
    )


@wrong("x is normalised by its own std (c_in from the batch)", says=r"c_in .*depends on x")
def own_std():
    class W(Precond):
        def __call__(self, x, sigma):
            s = np.reshape(sigma, (-1, 1))
            x_in = x / (x.std(1, keepdims=True) + 1e-9)
            return self.skip(s) * x + self.out(s) * self.model(x_in, self.told(np.ravel(s)))

    return check_preconditioning(W(), sigma_data=0.5)


@wrong("half precision inside", says=r"float16|half precision")
def half():
    class W(Precond):
        def __call__(self, x, sigma):
            return (
                super().__call__(x.astype(np.float16), np.asarray(sigma, np.float16)).astype(float)
            )

    return check_preconditioning(W(), sigma_data=0.5, sigmas=[0.01, 0.05, 0.2, 1, 5, 20])


@wrong(
    "c_skip and c_out use σ in different units: σ/2 in c_in only",
    says=r"in c_in, σ is multiplied by 0\.5",
)
def half_sigma_in_c_in():
    class W(Precond):
        def into(self, s):
            return 1 / np.sqrt((s / 2) ** 2 + self.sigma_data**2)

    return check_preconditioning(W(), sigma_data=0.5)


@wrong("c_noise = log(σ)/4 in base e^(1/2): 0.5 log σ", says=r"half|2 times|σ was squared")
def half_logarithm():
    return check_preconditioning(
        {"c_noise": lambda s: 0.5 * np.log(s), "c_in": lambda s: 1 / np.sqrt(s**2 + 0.25)},
        sigma_data=0.5,
    )
