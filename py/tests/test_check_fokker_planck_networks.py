"""`check_fokker_planck` of networks: how they are called, their precision, kinks, what is reported.

The networks have an exact solution built in, and a small perturbation by weights.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.interop.widened import wide_jax, widened

torch = pytest.importorskip("torch")

check = sp.check_fokker_planck


def pull(x, t):
    return -x


def root2(t):
    return 2**0.5


class Body(torch.nn.Module):
    """log p of the process dX = -X dt + √2 dW from N(0, 2), and ``amount`` times a network."""

    def __init__(self, d=1, amount=0.0, dtype=torch.float32, rate=2.0):
        super().__init__()
        torch.manual_seed(0)
        self.d, self.amount = d, amount
        self.rate = torch.nn.Parameter(torch.tensor(rate))
        self.register_buffer("one", torch.ones(()))
        self.net = torch.nn.Sequential(
            torch.nn.Linear(d + 1, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1)
        )
        self.to(dtype)

    def at(self, x, t):
        v = self.one + torch.exp(-self.rate * t)
        log = -0.5 * (x**2).sum(-1, keepdim=True) / v - 0.5 * self.d * torch.log(2 * torch.pi * v)
        return log + self.amount * self.net(torch.cat([x, t], -1))


class Columns(Body):
    """As most PINNs are called: net(x, t), both with columns."""

    def forward(self, x, t):
        return self.at(x, t)


class Rows(Body):
    """One time a row."""

    def forward(self, x, t):
        return self.at(x, t[:, None]).squeeze(-1)


class TimeFirst(Body):
    """net(t, x)."""

    def forward(self, t, x):
        return self.at(x, t)


class Joined(Body):
    """DeepXDE's order: the columns are x, then t."""

    def forward(self, inputs):
        return self.at(inputs[:, :-1], inputs[:, -1:])


class JoinedTimeFirst(Body):
    """Raissi's order: the columns are t, then x."""

    def forward(self, inputs):
        return self.at(inputs[:, 1:], inputs[:, :1])


@pytest.mark.parametrize("d", [1, 3])
@pytest.mark.parametrize("kind", [Columns, Rows, TimeFirst, Joined])
def test_every_way_of_calling_is_found_and_judged_in_double_precision(kind, d):
    net = kind(d)
    evidence = check(pull, root2, log_density=net, dimension=d)
    assert evidence and evidence.resolution < 1e-5, evidence.explain()
    assert "Judged in double precision: a copy of the network" in evidence.explain()
    assert all(p.dtype == torch.float32 and p.grad is None for p in net.parameters())
    wrong = check(pull, lambda t: 2.0, log_density=net, dimension=d)
    assert wrong.verdict == "refuted" and wrong.diagnosis.names, wrong.explain()


def test_a_density_as_a_network_and_a_network_of_double_precision():
    class Density(Columns):
        def forward(self, x, t):
            return torch.exp(self.at(x, t))

    assert check(pull, root2, Density())
    evidence = check(pull, root2, Density(dtype=torch.float64))
    assert evidence and "copy of the network" not in evidence.explain()


def test_functions_around_a_network():
    net = Columns()

    def closure(x, t):
        return net(x, t.expand(len(x), 1))[:, 0]

    nets = {"net": net}
    for law in (
        closure,
        functools.partial(lambda model, x, t: model(x, t.expand(len(x), 1)), net),
        lambda x, t: nets["net"](
            torch.cat([x, t.expand(len(x), 1)], 1)[:, :1], t.expand(len(x), 1)
        ),
        net.at,
    ):
        evidence = check(pull, root2, log_density=law, framework="torch")
        assert evidence and evidence.resolution < 1e-5, evidence.explain()


def test_a_type_that_is_asked_for_is_kept():
    evidence = check(pull, root2, log_density=Columns(), dtype="float32", tolerance=0.05)
    assert evidence and "copy of the network" not in evidence.explain()
    assert check(pull, root2, log_density=Columns(), dtype="float32").resolution > 1e-6


def test_drift_and_noise_beside_a_network_may_be_numpy():
    evidence = check(
        lambda x, t: -np.asarray(x), lambda t: np.sqrt(2.0), log_density=Columns(), seed=1
    )
    assert evidence and "forward mode does not see" not in evidence.explain()
    stacked = check(lambda x, t: np.stack([-x[:, 0]], axis=1), root2, log_density=Columns())
    assert stacked, stacked.explain()
    learned = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        learned.weight.fill_(-1.0)
    assert check(
        lambda x, t: learned(x), root2, log_density=Columns(), framework="torch", dimension=1
    )


def test_one_array_with_time_first():
    net = JoinedTimeFirst()
    assert check(pull, root2, log_density=net, inputs="tx")
    wrong = check(pull, root2, log_density=net)
    assert wrong.verdict == "refuted" and wrong.diagnosis.names == ("inputs_exchanged",)
    assert 'pass inputs="tx"' in wrong.explain()
    other = check(pull, lambda t: 1.0, log_density=Joined())
    assert other.verdict == "refuted" and "inputs_exchanged" not in other.diagnosis.names
    with pytest.raises(ArgumentError, match="inputs must be one of 'xt', 'tx'"):
        check(pull, root2, log_density=net, inputs="t, x")


def test_a_learned_density_is_reported_honestly():
    net = Columns(amount=0.01)
    fine = check(pull, root2, log_density=net, tolerance=0.1)
    assert fine and "100 % of points and times are within the tolerance 0.1" in fine.explain()
    strict = check(pull, root2, log_density=net)
    assert strict.verdict == "refuted" and "worst near t = " in strict.explain()
    # trained on the equation with ρ in place of ρ²
    wrong = check(pull, lambda t: 2.0, log_density=Columns(amount=0.0005), tolerance=0.05)
    assert wrong.verdict == "refuted", wrong.explain()
    assert "half_twice" in wrong.explain() or "rho_not_squared" in wrong.explain()
    assert "% of points and times are within the tolerance 0.05" in wrong.explain()


def test_relus_have_no_curvature():
    class Relu(torch.nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(1)
            self.net = torch.nn.Sequential(
                torch.nn.Linear(2, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1)
            )

        def forward(self, x, t):
            return self.net(torch.cat([x.sum(-1, keepdim=True), t], -1))

    weak = check(pull, root2, log_density=Relu(), tolerance=0.05, normalized=False)
    assert "The weak form was used: its second derivatives in x are exactly 0" in weak.explain()
    strong = check(pull, root2, log_density=Relu(), dimension=3, normalized=False)
    assert strong.verdict == "refuted"
    assert strong.diagnosis.names == ("piecewise_linear",), strong.explain()
    assert "tanh, SiLU, softplus" in strong.explain()


def test_what_cannot_be_called_is_said_with_what_was_tried():
    class Three(torch.nn.Module):
        def forward(self, x, t, y):
            return x

    class Wide(torch.nn.Module):
        def forward(self, x, t):
            return torch.cat([x, x], -1)

    with pytest.raises(CallableError, match="it takes neither one array nor two"):
        check(pull, root2, log_density=Three())
    with pytest.raises(CallableError, match=r"as \(x, t\) it gave shape \(7, 2\)"):
        check(pull, root2, log_density=Wide())


def test_copies_leave_what_they_copy():
    net = Columns()
    held = [net]

    def law(x, t):
        return held[0](x, t)

    wide = widened(law)
    assert wide is not law and held[0] is net and net.rate.dtype == torch.float32
    x = torch.zeros(3, 1, dtype=torch.float64)
    assert wide(x, x + 1).dtype == torch.float64
    assert widened(lambda x, t: x) is None and widened(Columns(dtype=torch.float64)) is None
    weight = torch.ones(1)
    assert widened(lambda x: x * weight)(x).dtype == torch.float64

    class Plain(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.ones(1)

        def forward(self, x):
            return x * self.scale

    assert widened(Plain())(x).dtype == torch.float64


def test_jax_is_widened_where_the_caller_names_no_type():
    jax = pytest.importorskip("jax")
    weights = jax.random.normal(jax.random.PRNGKey(0), (2, 8)) * 0.1

    def one(row, amount):
        x, t = row[:-1], row[-1]
        v = 1 + jax.numpy.exp(-2 * t)
        log = -0.5 * (x**2).sum() / v - 0.5 * jax.numpy.log(2 * jax.numpy.pi * v)
        return log + amount * jax.numpy.tanh(row @ weights).sum()

    exact = check(pull, root2, log_density=lambda row: one(row, 0.0), framework="jax")
    assert exact and exact.resolution < 1e-5, exact.explain()

    def batch(x, t):
        rows = jax.numpy.concatenate([x, jax.numpy.full((len(x), 1), t)], 1)
        return jax.vmap(lambda row: one(row, 0.01))(rows)[:, None]

    assert check(pull, root2, log_density=batch, framework="jax", tolerance=0.1)
    coarse = check(
        pull, root2, log_density=lambda row: one(row, 0.0), framework="jax", dtype="float32"
    )
    assert coarse.resolution > 1e-5
    assert not jax.config.jax_enable_x64
    with wide_jax("jax", None):
        assert jax.numpy.ones(1).dtype == "float64"
    with wide_jax("torch", None):
        assert jax.numpy.ones(1).dtype == "float32"


def test_the_other_order_is_told_where_the_first_one_fails():
    class Roots(JoinedTimeFirst):
        def at(self, x, t):
            return super().at(x, t) + 0 * torch.sqrt(t)  # nan where x stands for t

    with pytest.raises(CallableError, match=r'so called, .* nan or inf.*pass inputs="tx"'):
        check(pull, root2, log_density=Roots())
    with pytest.raises(CallableError, match="nan or inf"):
        check(pull, root2, log_density=lambda z: torch.log(-1 + 0 * z[:, 0]), framework="torch")


@pytest.mark.parametrize("tolerance", [None, 0.05, 0.01], ids=["exact", "5", "1"])
@pytest.mark.parametrize("act", ["Tanh", "SiLU"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_network_that_is_not_trained_has_no_cause(seed, act, tolerance):
    """No factor of drift, noise, time or of log p makes it right."""
    torch.manual_seed(seed)
    act = getattr(torch.nn, act)
    net = torch.nn.Sequential(
        torch.nn.Linear(2, 32), act(), torch.nn.Linear(32, 32), act(), torch.nn.Linear(32, 1)
    )
    evidence = check(pull, root2, log_density=net, tolerance=tolerance, normalized=False)
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names == (), evidence.explain()
    assert "as if" not in evidence.explain()
    if tolerance == 0.05 and seed == 1 and act is torch.nn.SiLU:
        assert "log p hardly changes in x and t" in evidence.explain()
