"""`check_log_likelihood` on right and wrong likelihoods, in several dialects."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.interop.draws import Log
from scoreproof.interop.draws_numpy import numpy_generator, numpy_random_state
from scoreproof.objects.schedules import VPLinear
from scoreproof.public.log_likelihood.law import gaussian, mixture
from scoreproof.public.log_likelihood.names import roles_of
from scoreproof.public.log_likelihood.probes import Design

check = sp.check_log_likelihood


def normal(z, std=1.0):
    return -((z / std) ** 2).sum(1) / 2 - z.shape[1] * np.log(std * np.sqrt(2 * np.pi))


def flow(velocity, div, x, n_steps=16, start=1.0, end=0.0):
    """The midpoint rule, from the data to the noise."""
    h, total = (end - start) / n_steps, 0.0
    for k in range(n_steps):
        t = start + (k + 0.5) * h
        half = x + h / 2 * velocity(x, t - h / 2)
        x, total = x + h * velocity(half, t), total + h * div(half, t)
    return normal(x) + total


def rates(process):
    def drift(score, x, t):
        return process.rate(t) * x - process.diffusion(t) ** 2 / 2 * score(x, t)

    return drift


def by_steps(model, div, x, n_steps=16):
    return flow(model, div, x, n_steps)


def euler(v, div, x, num_steps=64):
    total = 0.0
    for k in range(num_steps):
        t = 1 - k / num_steps
        x, total = x - v(x, t) / num_steps, total - div(x, t) / num_steps
    return normal(x) + total


def adaptive(vf, div, x, rtol=1e-4, atol=1e-4):
    from scipy.integrate import solve_ivp

    n, d = x.shape

    def rate(t, state):
        y = state[: n * d].reshape(n, d)
        return np.concatenate([vf(t, y).ravel(), div(y, t)])

    out = solve_ivp(rate, (1, 0), np.append(x.ravel(), np.zeros(n)), rtol=rtol, atol=atol)
    return normal(out.y[: n * d, -1].reshape(n, d)) + out.y[n * d :, -1]


def on_times(velocity, div, x, times):
    total = 0.0
    for t, s in zip(times[:-1], times[1:], strict=True):
        half = x + (s - t) / 2 * velocity(x, t)
        mid = (s + t) / 2
        x, total = x + (s - t) * velocity(half, mid), total + (s - t) * div(half, mid)
    return {"z": x, "log_prob": normal(x) + total}


def with_prior(velocity, div, x, log_p0, n_steps=16):
    z, total = x, flow(velocity, div, x, n_steps)
    h = -1.0 / n_steps
    for k in range(n_steps):
        t = 1 + (k + 0.5) * h
        z = z + h * velocity(z + h / 2 * velocity(z, t - h / 2), t)
    return total - normal(z) + log_p0(z)


@pytest.mark.parametrize("function", [flow, euler, adaptive, on_times, with_prior])
def test_right_flows_hold(function):
    evidence = check(function)
    assert evidence, evidence.explain()
    assert evidence.kind == "convergent" and evidence.resolution < 0.01
    assert "was made finer" in evidence.explain()


def test_the_data_may_be_at_either_end():
    def turned(velocity, div, x, n_steps=16):
        return flow(velocity, div, x, n_steps, 0.0, 1.0)

    assert check(turned, data_at=0)
    wrong = check(turned)
    assert wrong.verdict == "refuted" and "from_the_noise" in wrong.diagnosis.names
    assert "begins at the time of the noise" in wrong.explain()


def test_a_flow_of_another_span():
    def longer(func, div, x, n_steps=16):
        return flow(func, div, x, n_steps, 10.0, 0.0)

    assert check(longer, t_max=10.0)


@pytest.mark.parametrize("shape", [1, 2, (2, 2)])
def test_shapes(shape):
    def images(velocity, div, x, n_steps=16):
        h, total = -1 / n_steps, 0.0
        for k in range(n_steps):
            t = 1 + (k + 0.5) * h
            half = x + h / 2 * velocity(x, t - h / 2)
            x, total = x + h * velocity(half, t), total + h * div(half, t)
        return normal(x.reshape(len(x), -1)) + total

    assert check(images, shape=shape)


@pytest.mark.parametrize("how", ["normal", "signs", "coins", "choice", "state", "shared", "given"])
def test_probes_are_averaged_exactly(how):
    def log_prob(velocity, x, n_steps, draw):
        nu = draw(x.shape)

        def div(y, t):
            width = 1e-4
            change = velocity(y + width * nu, t) - velocity(y - width * nu, t)
            return (change * nu).sum(1) / (2 * width)

        return flow(velocity, div, x, n_steps)

    def by_rng(velocity, x, rng, n_steps=8):
        draws = {
            "normal": lambda shape: rng.standard_normal(shape),
            "signs": lambda shape: np.sign(rng.standard_normal(shape)),
            "coins": lambda shape: 2.0 * rng.integers(0, 2, size=shape) - 1,
            "choice": lambda shape: rng.choice([-1.0, 1.0], size=shape),
            "shared": lambda shape: rng.standard_normal(shape[1:]) + np.zeros(shape),
        }
        return log_prob(velocity, x, n_steps, draws[how])

    def by_state(velocity, x, random_state, n_steps=8):
        return log_prob(velocity, x, n_steps, lambda s: 2.0 * random_state.randint(2, size=s) - 1)

    def by_nu(velocity, x, epsilon, n_steps=8):
        return log_prob(velocity, x, n_steps, lambda shape: epsilon)

    evidence = check({"state": by_state, "given": by_nu}.get(how, by_rng))
    assert evidence, evidence.explain()


def test_a_process_and_its_cutoff():
    process = VPLinear(0.1, 5.0)

    def log_prob(score_fn, div, x, n_steps=32, eps=1e-3):
        drift = rates(process)

        def trace(y, t):
            return process.rate(t) * y.shape[1] - process.diffusion(t) ** 2 / 2 * div(y, t)

        return flow(lambda y, t: drift(score_fn, y, t), trace, x, n_steps, eps, 1.0)

    assert check(log_prob, process)
    assert check(log_prob, process, t_min=1e-3)
    wrong = check(
        lambda score_fn, div, x, n_steps: log_prob(score_fn, div, x, n_steps, 0.1), process
    )
    assert wrong.diagnosis.names == ("starts_late",)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda z, d: 0.5 * d * np.log(2 * np.pi), "prior_no_2pi"),
        (lambda z, d: -(z**2).sum(1) / 2, "prior_no_half"),
        (lambda z, d: -d / 2 * np.log(2 * np.pi), "prior_half_constant"),
        (lambda z, d: -normal(z), "prior_missing"),
        (lambda z, d: normal(z) / d - normal(z), "prior_mean"),
        (lambda z, d: normal(z, 2.0) - normal(z), "prior_width"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_mistakes_of_the_prior_are_named(change, name):
    def log_prob(velocity, div, x, n_steps=16):
        h, z = -1.0 / n_steps, x
        for k in range(n_steps):
            t = 1 + (k + 0.5) * h
            z = z + h * velocity(z + h / 2 * velocity(z, t - h / 2), t)
        return flow(velocity, div, x, n_steps) + change(z, x.shape[1])

    evidence = check(log_prob)
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names == (name,)


def test_priors_that_are_said():
    def log_prob(velocity, div, x, n_steps=16):
        h, z = -1.0 / n_steps, x
        for k in range(n_steps):
            t = 1 + (k + 0.5) * h
            z = z + h * velocity(z + h / 2 * velocity(z, t - h / 2), t)
        return flow(velocity, div, x, n_steps) + normal(z, 2.0) - normal(z)

    assert check(log_prob, prior=2.0)
    assert check(log_prob, prior=lambda z: normal(z, 2.0))
    assert "The prior is the exact law" in check(flow, prior="marginal").explain()


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (lambda v: v / 2, "no_dimensions"),
        (lambda v: v * np.log(2), "times_log2"),
        (lambda v: -v, "sign"),
    ],
    ids=["d", "log2", "sign"],
)
def test_units_of_all_kinds(wrong, name):
    def bits(velocity, div, x, n_steps=16):
        return -flow(velocity, div, x, n_steps) / (x.shape[1] * np.log(2))

    assert check(bits, units="bits_per_dim", levels=1)
    assert check(lambda velocity, div, x, n_steps: -flow(velocity, div, x, n_steps), units="nll")
    assert check(
        lambda velocity, div, x, n_steps: flow(velocity, div, x, n_steps) / np.log(2), units="bits"
    )
    if name == "no_dimensions":
        wrong = lambda v: v * 3  # noqa: E731
    if name == "times_log2":
        wrong = lambda v: v * np.log(2) ** 2  # noqa: E731
    evidence = check(
        lambda velocity, div, x, n_steps: wrong(bits(velocity, div, x, n_steps)),
        units="bits_per_dim",
        levels=1,
    )
    assert name in evidence.diagnosis.names


@pytest.mark.parametrize(
    ("offset", "name"),
    [(0, "offset_missing"), (7, "offset_one_less"), (9, "offset_one_more"), (-8, "offset_sign"),
     (8 / 3, "offset_not_per_dim")],
    ids=["0", "7", "9", "-8", "8/3"],
)  # fmt: skip
def test_offsets_are_named(offset, name):
    def bits(velocity, div, x, n_steps=16):
        return -flow(velocity, div, x, n_steps) / (x.shape[1] * np.log(2)) + offset

    evidence = check(bits, units="bits_per_dim", data_range=(0, 1))
    assert evidence.diagnosis.names == (name,)


def test_what_is_done_to_x_first_is_read_off():
    def scaled(velocity, div, x, rng, n_steps=16):
        x = 2 * (x + rng.random(x.shape) / 256) - 1
        return flow(velocity, div, x, n_steps) + x.shape[1] * np.log(2)

    evidence = check(scaled)
    assert evidence, evidence.explain()
    assert "x is scaled before the ODE begins, by up to 2 and 0.9961: log|dy/dx|" in (
        evidence.explain()
    )

    def bare(velocity, div, x, n_steps=16):
        return flow(velocity, div, 2 * x - 1, n_steps)

    assert check(bare).diagnosis.names == ("scaler_missing",)


def test_a_solver_that_cannot_be_refined():
    def fixed(velocity, div, x):
        return flow(velocity, div, x, 200)

    evidence = check(fixed)
    assert evidence and evidence.kind == "float" and evidence.resolution >= 0.008
    assert "takes nothing that makes its solver finer" in evidence.explain()
    assert (
        "let it take n_steps" in check(lambda velocity, div, x: flow(velocity, div, x, 3)).sentence
    )
    assert check(lambda velocity, div, x: flow(velocity, div, x, 3), tolerance=0.3)
    idle = check(lambda velocity, div, x, n_steps: flow(velocity, div, x, 100))
    assert idle and "does not use what would make" in idle.explain()


def test_one_number_for_a_batch():
    evidence = check(lambda velocity, div, x, n_steps: flow(velocity, div, x, n_steps).mean())
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names == ("batch_reduced",)
    assert "one number came back for a whole batch" in evidence.sentence


def test_bad_arguments():
    with pytest.raises(ArgumentError, match="log_likelihood must be a function of a model and x"):
        check(3)
    with pytest.raises(ArgumentError, match="whose arguments are known by their names"):
        check(lambda model, x, bogus: x, prediction="velocity")
    with pytest.raises(ArgumentError, match="a function that is handed its model"):
        check(lambda x: x, prediction="velocity")
    with pytest.raises(ArgumentError, match="a function of x"):
        check(lambda velocity: velocity)
    with pytest.raises(ArgumentError, match="given must be the arguments in order"):
        check(lambda a, b: b, given=("a", "b"), prediction="velocity")
    with pytest.raises(ArgumentError, match="prediction must be one of"):
        check(lambda model, x: x)
    with pytest.raises(ArgumentError, match="process must be given for prediction='v'"):
        check(lambda model, x: x, prediction="v")
    with pytest.raises(ArgumentError, match="process must be an object with alpha"):
        check(lambda model, x: x, object())
    with pytest.raises(ArgumentError, match="data_at must be 0 or 1"):
        check(flow, data_at=2)
    with pytest.raises(ArgumentError, match="data_at must be left away with a process"):
        check(flow, VPLinear(0.1, 5.0), data_at=1)
    with pytest.raises(ArgumentError, match="prior must be a standard deviation"):
        check(flow, prior=-1)
    with pytest.raises(ArgumentError, match="t_max must be a number >= 0"):
        check(flow, t_max="1")
    with pytest.raises(ArgumentError, match="data_range must be left away with units="):
        check(flow, data_range=(0, 1))
    with pytest.raises(ArgumentError, match=r"data_range must be \(low, high\)"):
        check(flow, units="bits_per_dim", data_range=(1, 0))
    for more in ({}, {"levels": 256}, {"levels": True}, {"levels": -3}):
        with pytest.raises(ArgumentError, match="data_range must be said .* or levels=1 where"):
            check(flow, units="bits_per_dim", **more)
    with pytest.raises(ArgumentError, match="levels must be left away in nats"):
        check(flow, levels=-3)
    with pytest.raises(ArgumentError, match="gradients must be asked for of torch or jax"):
        check(flow, gradients=True)
    with pytest.raises(ArgumentError, match="options must be of arguments after those"):
        check(lambda model, a, x: x, options={"a": 1}, prediction="velocity")


def test_bad_functions():
    with pytest.raises(CallableError, match="ask the model that it is handed"):
        check(lambda velocity, x: x.sum(1))
    with pytest.raises(CallableError, match="sum the squares of the prior"):
        check(lambda velocity, x: velocity(x, 1.0))
    with pytest.raises(CallableError, match="return finite numbers"):
        check(lambda velocity, x: velocity(x, 1.0).sum(1) * np.nan)
    with pytest.raises(CallableError, match="return normally"):
        check(lambda velocity, x: velocity(x, 1.0) @ np.ones(7))
    with pytest.raises(CallableError, match="ask its model at x of shape"):
        check(lambda velocity, x: velocity(x[:, :1], 1.0).sum(1))


def test_given_names_the_arguments():
    assert check(lambda a, b, c, d: flow(a, b, c, d), given=("model", "div", "x", "n_steps"),
                 prediction="velocity")  # fmt: skip


def test_roles():
    def k_diffusion(model, x, sigma_min, sigma_max, extra_args=None, atol=1e-4, rtol=1e-4):
        """As it is there."""

    taken = roles_of(k_diffusion, None, {})
    assert taken.positional == ("model", "x", "t_min", "t_max")
    assert set(taken.finer) == {"rtol", "atol"}


@pytest.mark.parametrize("law", [gaussian(3), mixture(3)], ids=["gaussian", "mixture"])
@pytest.mark.parametrize(("alpha", "sigma"), [(1.0, 0.0), (0.7, 0.4), (0.0, 1.0)])
def test_the_laws_derivatives(law, alpha, sigma):
    x = np.random.default_rng(1).normal(size=(4, 3))
    parts, h = law.parts(x, alpha, sigma), 1e-5
    of_x0, of_score = law.divergences(x, alpha, sigma)
    for name, due in (("x0", of_x0), ("score", of_score)):
        trace = 0.0
        for i in range(3):
            e = h * np.eye(3)[i]
            ahead, back = (getattr(law.parts(x + s * e, alpha, sigma), name) for s in (1, -1))
            trace = trace + (ahead - back)[:, i] / (2 * h)
        np.testing.assert_allclose(trace, due, rtol=1e-6, atol=1e-6)
    grad = [
        (law.log_density(x + h * e, alpha, sigma) - law.log_density(x - h * e, alpha, sigma))
        / (2 * h)
        for e in np.eye(3)
    ]
    np.testing.assert_allclose(np.stack(grad, 1), parts.score, rtol=1e-6, atol=1e-6)


def test_a_design_averages_to_the_identity():
    design = Design(16, 5)
    assert design.m == 8
    nu = design.nu()
    np.testing.assert_array_equal(nu[:8].T @ nu[:8] / 8, np.eye(5))


def test_coins_of_numpy():
    log = Log(coins=lambda draw: np.arange(np.prod(draw.shape)).reshape(draw.shape) % 2)
    rng = numpy_generator(lambda draw: np.zeros(draw.shape), log)
    assert rng.integers(2, size=4).tolist() == [0, 1, 0, 1]
    assert rng.integers(-1, 1, size=2, endpoint=False).tolist() == [-1, 0]
    assert rng.choice([-1.0, 1.0], size=(1, 2)).tolist() == [[-1.0, 1.0]]
    assert set(rng.integers(0, 9, size=9)) - {0, 1}
    state = numpy_random_state(lambda draw: np.zeros(draw.shape), log)
    assert state.randint(0, 2, size=2).tolist() == [0, 1]


def test_a_jax_likelihood_under_scan():
    pytest.importorskip("jax")
    import jax
    import jax.numpy as jnp

    process = VPLinear(0.1, 5.0)

    def log_prob(score_fn, x, key, n_steps=32):
        nu = jax.random.rademacher(key, x.shape, dtype=x.dtype)
        h = (1 - 1e-3) / n_steps

        def drift(y, t):
            beta = 0.1 + 4.9 * t
            return -beta / 2 * (y + score_fn(y, t))

        def step(state, k):
            y, total = state
            t = 1e-3 + (k + 0.5) * h
            half = y + h / 2 * drift(y, t - h / 2)
            move, change = jax.jvp(lambda u: drift(u, t), (half,), (nu,))
            return (y + h * move, total + h * (nu * change).sum(-1)), None

        (z, total), _ = jax.lax.scan(step, (x, jnp.zeros(len(x))), jnp.arange(n_steps))
        return -(z**2).sum(-1) / 2 - z.shape[-1] / 2 * jnp.log(2 * jnp.pi) + total

    evidence = check(log_prob, process, framework="jax")
    assert evidence, evidence.explain()


def torch_flow(velocity, x, n_steps, cut):
    import torch

    h, total = -1.0 / n_steps, torch.zeros(len(x))
    for k in range(n_steps):
        t = 1 + (k + 0.5) * h
        half = x + h / 2 * velocity(x, t - h / 2)
        if not half.requires_grad:
            half = half.requires_grad_()
        move = velocity(half, t)
        parts = [
            torch.autograd.grad(move[:, i].sum(), half, create_graph=True)[0][:, i]
            for i in range(x.shape[1])
        ]
        trace = sum(parts)
        x, total = x + h * move, total + h * (trace.detach() if cut else trace)
    return -(x**2).sum(1) / 2 - x.shape[1] / 2 * np.log(2 * np.pi) + total


def test_gradients_in_x():
    pytest.importorskip("torch")

    def log_prob(velocity, x, n_steps=4):
        return torch_flow(velocity, x, n_steps, False)

    given = {"framework": "torch", "shape": 1, "gradients": True, "tolerance": 0.1}
    assert check(log_prob, **given)
    wrong = check(lambda velocity, x, n_steps=4: torch_flow(velocity, x, n_steps, True), **given)
    assert wrong.verdict == "refuted"
    assert "the gradient of log p in x of" in wrong.sentence
    with pytest.raises(CallableError, match="return what torch can differentiate"):
        check(lambda velocity, x, n_steps=4: log_prob(velocity, x, n_steps).detach(), **given)
