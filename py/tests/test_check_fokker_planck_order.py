"""The order in which check_fokker_planck hands over x and t, and the types of what it reads."""

import numpy as np
import pytest

from scoreproof import check_fokker_planck
from scoreproof.errors import ArgumentError
from scoreproof.public.fokker_planck.order import in_order, told

ROOT2 = 2**0.5
X, T = np.linspace(-5, 5, 101), np.linspace(0, 1, 21)
STATES = np.array(
    [
        np.exp(-(X**2) / 2 / (1 + np.exp(-2 * t))) / np.sqrt(2 * np.pi * (1 + np.exp(-2 * t)))
        for t in T
    ]
)


def log_p(x, t):
    v = 1 + np.exp(-2 * t)
    return -(x**2).sum(1) / 2 / v - 0.5 * np.log(2 * np.pi * v)


def named(first, second, body):
    return eval(f"lambda {first}, {second}: {body}", {"log_p": log_p})


@pytest.mark.parametrize("q", ["x", "y", "q", "state"])
@pytest.mark.parametrize("t", ["t", "ts", "time", "times", "tau", "timestep", "t_batch", "t_"])
def test_time_first_by_any_of_its_names_for_drift_and_density(t, q):
    right = check_fokker_planck(named(t, q, f"-{q}"), ROOT2, log_density=log_p)
    assert right, right.sentence
    density = named(t, q, f"log_p({q}, {t})")
    assert check_fokker_planck(lambda x, t: -x, ROOT2, log_density=density)
    wrong = check_fokker_planck(named(t, q, f"-1.1 * {q}"), ROOT2, log_density=density)
    assert wrong.verdict == "refuted"


@pytest.mark.parametrize("names", ["x_t, t", "xt, tau", "y, ts", "z, t_batch"])
def test_states_named_after_t_are_states(names):
    first, second = names.split(", ")
    assert told(named(first, second, first)) == "xt"


def test_a_noise_of_time_and_args_is_one_of_time():
    evidence = check_fokker_planck(
        lambda t, y, args: -y, lambda t, args: ROOT2, log_density=lambda t, q, args: log_p(q, t)
    )
    assert evidence
    assert in_order(lambda x, t, args: (x, t, args))(5, 2) == (5, 2, None)
    # a second argument with a default is a setting of the noise, as in score_sde's diffusion_coeff
    assert in_order(lambda t, sigma=25.0: sigma)(0.5) == 25.0


def test_inputs_reach_drift_and_diffusion_where_no_name_tells():
    kinds = {"log_density": lambda a, b: log_p(b, a), "inputs": "tx"}
    assert check_fokker_planck(lambda a, b: -b, ROOT2, **kinds)
    assert check_fokker_planck(lambda x, t: -x, ROOT2, **kinds)
    wrong = check_fokker_planck(lambda a, b: -a + 0 * b, ROOT2, **kinds)
    assert wrong.verdict == "refuted"
    noise = {"interpretation": "ito", **kinds}
    assert check_fokker_planck(lambda a, b: -b, lambda a, b: ROOT2 + 0 * b, **noise)
    assert check_fokker_planck(lambda a, b: -b, ROOT2, STATES, axes=(T, X), inputs="tx")


def modules():
    torch = pytest.importorskip("torch")

    class Held(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.k = torch.nn.Parameter(torch.tensor(1.0))

    class Right(Held):
        def forward(self, t, y):
            return -self.k * y

    class Wrong(Held):
        def forward(self, t, y):
            return -self.k * t + 0 * y

    class Joined(Held):
        def forward(self, z):
            return -self.k * z[:, :1]

    class Column(Held):
        def forward(self, x, t):
            return -self.k * torch.cat([x, t], 1)[:, :1]

    class Alone(Held):
        def forward(self, x):
            return -self.k * x if x.shape[1] == 1 else torch.cat([x, x], 1)

    class Noise(Held):
        def forward(self, t, y):
            return self.k * (1 + 0.5 * torch.sin(y[:, 0]))

    return {c.__name__: c() for c in (Right, Wrong, Joined, Column, Alone, Noise)}


@pytest.mark.parametrize("name", ["Right", "Joined", "Column", "Alone"])
def test_a_drift_module_is_called_beside_an_array_as_beside_a_density(name):
    drift = modules()[name]
    assert check_fokker_planck(drift, ROOT2, STATES, axes=(T, X), framework="torch")
    assert check_fokker_planck(drift, ROOT2, STATES, axes=(T, X))


def test_a_wrong_drift_module_beside_an_array_is_refuted():
    wrong = check_fokker_planck(modules()["Wrong"], ROOT2, STATES, axes=(T, X), framework="torch")
    assert wrong.verdict == "refuted"


def test_a_diffusion_module_of_time_and_state_goes_in():
    torch = pytest.importorskip("torch")

    def drift(x, t):
        return -0.5 * (1 + 0.5 * torch.sin(x)) ** 2 * x

    how = {"score": lambda x, t: -x, "framework": "torch"}
    noise = modules()["Noise"]
    assert check_fokker_planck(drift, noise, interpretation="fick", **how)
    assert check_fokker_planck(drift, noise, interpretation="ito", **how).verdict == "refuted"


@pytest.mark.parametrize("kind", ["number", "diagonal", "torch", "function"])
def test_a_noise_in_float32_is_known_to_its_rounding(kind):
    noise = np.float32(ROOT2)
    if kind == "diagonal":
        noise = np.array([ROOT2], np.float32)
    if kind == "torch":
        noise = pytest.importorskip("torch").tensor(2.0).sqrt()
    held, wrong = noise, noise * 1.01
    if kind == "function":
        held, wrong = (lambda t: noise), (lambda t: noise * np.float32(1.01))
    assert check_fokker_planck(lambda x, t: -x, held, log_density=log_p)
    off = check_fokker_planck(lambda x, t: -x, wrong, log_density=log_p)
    assert off.verdict == "refuted"


@pytest.mark.parametrize(
    ("said", "told_of"),
    [
        ({"times": (0.2, 0.5)}, "times"),
        ({"domain": (-2, 2)}, "domain"),
        ({"points": X[:, None]}, "points"),
        ({"method": "strong"}, "method"),
        ({"score": lambda x, t: -x}, "score"),
        ({"inputs": "yt"}, "inputs"),
    ],
)
def test_what_an_array_is_not_asked_with_is_said(said, told_of):
    with pytest.raises(ArgumentError, match=told_of):
        check_fokker_planck(lambda x, t: -x, ROOT2, STATES, axes=(T, X), **said)


def test_what_a_function_is_not_asked_with_is_said():
    def density(x, t):
        return np.exp(log_p(x, t))

    def drift(x, t):
        return -x

    with pytest.raises(ArgumentError, match="boundary must be left out with a function"):
        check_fokker_planck(drift, ROOT2, density, boundary="periodic")
    with pytest.raises(ArgumentError, match="cells must be left out with a function"):
        check_fokker_planck(drift, ROOT2, density, cells=True)
    with pytest.raises(ArgumentError, match="axes must be left out with a function"):
        check_fokker_planck(drift, ROOT2, density, axes=(T, X))
    with pytest.raises(ArgumentError, match="one set of axes for each of the 2 solutions"):
        check_fokker_planck(drift, ROOT2, [STATES[:, ::2], STATES], axes=(T, X))
    with pytest.raises(ArgumentError, match="only a density is judged"):
        check_fokker_planck(drift, ROOT2, score=-STATES, axes=(T, X))


def test_another_matrix_is_read_as_fick_too_in_weak_form():
    def covariance(x):
        a, c = 1 + 0.5 * np.sin(x[:, 0]), 1.5 + 0.5 * np.cos(x[:, 1])
        b = 0.3 * np.cos(x[:, 0] * x[:, 1])
        return np.stack([np.stack([a, b], 1), np.stack([b, c], 1)], 1)

    wrong = check_fokker_planck(
        lambda x, t: -0.5 * np.einsum("nij,nj->ni", covariance(x), x),
        lambda x, t: np.linalg.cholesky(covariance(x)).transpose(0, 2, 1),
        log_density=lambda x, t: -(x**2).sum(1) / 2 - np.log(2 * np.pi) + 0 * t,
        dimension=2,
        interpretation="fick",
    )
    assert wrong.diagnosis.names == ("transposed_noise",), wrong.explain()
