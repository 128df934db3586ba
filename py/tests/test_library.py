"""Code of PyTorch goes in as it is: the library is read off it where NumPy arrays are no answer."""

import math
from functools import partial

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import CallableError
from scoreproof.interop.library import library_of
from scoreproof.objects.schedules import VPLinear

torch = pytest.importorskip("torch")


def of_numpy(x):
    return np.exp(x) * math.sqrt(2.0) + np.linalg.norm(x) + np.abs(x).sum()


def by_methods(mu, logvar):
    return 0.5 * (mu.pow(2) + logvar.exp() - 1 - logvar).sum(-1)


class Options:
    log, norm, tanh = True, 2.0, False


OPTIONS = Options()


def of_options(x, options=OPTIONS):
    return x * options.norm if options.log and not options.tanh else x


class Drawing:
    def __init__(self):
        self.rng = np.random.default_rng(0)

    def __call__(self, x):
        return x + self.rng.exponential()


class Holding:
    def __init__(self, held):
        self.held = held

    def forward(self, x):
        return self.held * x


@pytest.mark.parametrize(
    ("thing", "library"),
    [
        (of_numpy, "numpy"),
        (Drawing(), "numpy"),
        (len, "numpy"),
        (of_options, "numpy"),
        (lambda x: x.clamp(min=0), "torch"),
        (by_methods, "torch"),
        (partial(by_methods, None), "torch"),
        (lambda x: torch.zeros(3) + x, "torch"),
        (torch.nn.Linear(2, 2), "torch"),
        (Holding(torch.zeros(2)), "torch"),
        (Holding(torch.zeros(2)).forward, "torch"),
        (Holding(2.0), "numpy"),
    ],
    ids=lambda v: v if isinstance(v, str) else type(v).__name__,
)
def test_the_library_of_a_callable(thing, library):
    assert library_of(thing) == library


def hutchinson(field, z, nu):
    z = z.requires_grad_(True)
    return (torch.autograd.grad(field(z), z, nu)[0] * nu).sum(-1)


def log_density(x, t):
    var = 0.5 + 0.5 * torch.exp(-2 * torch.as_tensor(t))
    return -x.pow(2).sum(-1) / (2 * var) - 0.5 * torch.log(2 * math.pi * var)


ASKED = {
    "trace_estimator": lambda: sp.check_trace_estimator(hutchinson),
    "kl": lambda: sp.check_kl(by_methods),
    "fokker_planck": lambda: sp.check_fokker_planck(
        lambda x, t: -x, 1.0, log_density=log_density, method="weak"
    ),
    "reverse_sampler": lambda: sp.check_reverse_sampler(
        lambda x, t, model, lam: (
            -0.5 * (0.1 + 19.9 * t) * x
            - (1 + lam**2) / 2 * (0.1 + 19.9 * t) * model(x, t).clamp(min=-1e9),
            lam * torch.sqrt(torch.as_tensor(0.1 + 19.9 * t)),
        ),
        VPLinear(0.1, 20.0),
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_code_of_torch_goes_in_unsaid(name):
    found = ASKED[name]()
    assert found.verdict == "holds", found.sentence


def test_a_library_that_was_read_wrongly_is_no_obstacle():
    """NumPy's code may hold what has methods of tensors' names."""
    table = {"log": None}

    def kl(mu, logvar):
        if isinstance(table["log"], torch.Tensor):
            return table["log"].exp()
        return 0.5 * np.sum(np.square(mu) + np.exp(logvar) - 1 - logvar, axis=-1)

    assert library_of(kl) == "torch"
    assert sp.check_kl(kl)


def test_an_error_of_the_code_is_its_own():
    def wrapped(field, z, nu):
        raise ValueError("no weights at " + str(torch.zeros(1).shape))

    with pytest.raises(CallableError, match="no weights"):
        sp.check_trace_estimator(wrapped)
