"""One name means one thing to every check that reads names."""

import numpy as np
import pytest

from scoreproof import check_loss
from scoreproof.interop.signatures import needed, parameters, positional
from scoreproof.public import called
from scoreproof.public.corrector.names import roles_of as of_corrector
from scoreproof.public.log_likelihood.names import roles_of as of_log_likelihood
from scoreproof.public.loss.takes import takes_of as of_loss
from scoreproof.public.variational_bound.takes import takes_of as of_bound


def _function(*names):
    scope = {}
    exec(f"def made({', '.join(names)}):\n    return None", scope)
    return scope["made"]


@pytest.mark.parametrize("name", called.MODELS)
def test_a_network_is_known_by_its_name_to_every_check(name):
    assert of_corrector(_function(name, "x"), None, {}) == ("score", "x")
    assert of_log_likelihood(_function(name, "x"), None, {}).positional == ("model", "x")
    assert of_loss(_function("x0", name, "t", "noise"), None)[1] == ("model", None)
    assert of_bound(_function(name, "x0", "x_t", "t"), None)[0] == ("model", None)


@pytest.mark.parametrize("name", called.TIMES)
def test_a_time_is_known_by_its_name(name):
    assert ("t", None) in of_loss(_function("model", "x0", name, "noise"), None)
    assert ("t", None) in of_bound(_function("model", "x0", "x_t", name), None)


@pytest.mark.parametrize("name", called.NOISY)
def test_a_noised_sample_is_known_by_its_name(name):
    assert ("xt", None) in of_bound(_function("model", "x0", name, "t"), None)
    assert of_corrector(_function("score", name), None, {}) == ("score", "x")


@pytest.mark.parametrize("name", sorted(called.RANDOM))
def test_a_source_of_random_numbers_is_known_by_its_name(name):
    assert of_loss(_function("model", "x0", name), None)[2] == ("rng", None)
    assert of_bound(_function("model", "x0", "x_t", "t", name), None)[-1] == ("rng", None)


def test_capitals_count_in_one_letter_and_nowhere_else():
    assert called.role_of("Timesteps", {"t": called.TIMES}) == "t"
    assert called.role_of("_sigma_", {"t": called.LEVELS}) == "t"
    assert called.role_of("T", {"t": called.TIMES}) is None


def test_of_a_module_it_is_forward_that_is_read():
    torch = pytest.importorskip("torch")

    class Loss(torch.nn.Module):
        def forward(self, model, x0, t, noise=None):
            return None

    assert needed(Loss()) == ["model", "x0", "t"]
    assert [p.name for p in positional(Loss())] == ["model", "x0", "t", "noise"]
    assert parameters(dict) is None and positional(dict) == []


@pytest.mark.parametrize("late", [False, True])
def test_a_loss_that_is_a_module_goes_in(late):
    """Its arguments are those of ``forward``."""
    torch = pytest.importorskip("torch")
    alphas_cumprod = np.cumprod(1 - np.linspace(1e-4, 2e-2, 1000))

    class Loss(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("bar", torch.tensor(alphas_cumprod))

        def forward(self, backbone, images, timesteps, noise):
            bar = self.bar[timesteps].view(-1, *[1] * (images.ndim - 1))
            noisy = bar.sqrt() * images + (1 - bar if late else (1 - bar).sqrt()) * noise
            return ((backbone(noisy, timesteps) - noise) ** 2).mean()

    found = check_loss(
        Loss(), {"alphas_cumprod": alphas_cumprod}, prediction="eps", framework="torch"
    )
    assert found.verdict == ("refuted" if late else "holds"), found.sentence
