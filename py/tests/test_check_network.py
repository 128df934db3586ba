"""check_denoiser with a schedule: networks as people have them, judged at many noise levels."""

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.objects.discrete import DiscreteVE, DiscreteVP
from scoreproof.objects.schedules import VPLinear
from scoreproof.public.network.schedules import levels_of

BETAS = np.linspace(1e-4, 0.02, 1000)
BAR = np.cumprod(1 - BETAS)
DATA = np.random.default_rng(0).uniform(-1, 1, (12, 3))
LEVELS = [20.0, 5.0, 2.0, 1.0, 0.5, 0.3]


def column(v, x):
    return np.reshape(np.asarray(v, float), (-1,) + (1,) * (np.ndim(x) - 1))


def denoised(x, sigma, data=DATA):
    """E[x_0 | x] for x = x_0 + σ ε, samples of any shape, σ a number or one for each."""
    flat, s = x.reshape(len(x), -1), np.reshape(np.asarray(sigma, float), (-1, 1))
    logits = -((flat[:, None] - data) ** 2).sum(axis=2) / (2 * s**2)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    mean = weights @ data / weights.sum(axis=1, keepdims=True)
    return mean.reshape(x.shape)


def eps(x, t, bar=BAR):
    b = column(bar[t], x)
    y, s = x / np.sqrt(b), np.sqrt((1 - b) / b)
    return (y - denoised(y, np.ravel(s))) / s


def v(x, t):
    b = column(BAR[t], x)
    e = eps(x, t)
    return np.sqrt(b) * e - np.sqrt(1 - b) * (x - np.sqrt(1 - b) * e) / np.sqrt(b)


TABLE = {"betas": BETAS}


def judge(network, schedule=TABLE, prediction="eps", data=DATA, **more):
    return sp.check_denoiser(network, data, schedule=schedule, prediction=prediction, **more)


@pytest.mark.parametrize(
    "network",
    [
        lambda x, t: eps(x, t),
        lambda x, t: (eps(x, t), "more"),
        lambda x, t: {"sample": eps(x, t)},
        lambda x, t: type("Out", (), {"sample": eps(x, t)})(),
        lambda x, t: eps(x, np.full(len(x), int(t))),
        lambda x, t: eps(x, t[:, 0]) if t.ndim == 2 else 1 / 0,
    ],
    ids=["array", "tuple", "dict", "object", "number", "(B, 1)"],
)
def test_every_output_and_every_form_of_the_time(network):
    evidence = judge(network)
    assert evidence, evidence.explain()
    assert evidence.coverage.looked_at["levels"] == 12
    assert evidence.table.columns[:3] == ("timestep", "σ/α", "largest error")
    assert len(evidence.table.rows) == 12


@pytest.mark.parametrize("shape", [(3, 1, 1), (1, 3), (3,)])
def test_any_shape(shape):
    evidence = judge(lambda x, t: eps(x, t), data=DATA.reshape(12, *shape))
    assert evidence, evidence.explain()
    assert judge(eps, shape=shape)


def test_a_learned_variance_is_not_looked_at_and_said():
    data = DATA.reshape(12, 3, 1, 1)
    evidence = judge(lambda x, t: np.concatenate([eps(x, t), 9 * x], axis=1), data=data)
    assert evidence and "second half" in evidence.explain()


@pytest.mark.parametrize(
    ("schedule", "network", "more"),
    [
        (LEVELS, denoised, {}),
        ({"sigmas": [0.9, 0.5, 0.3]}, denoised, {}),
        (LEVELS, lambda x, c: denoised(x, np.exp(4 * c)), {"time": "c_noise"}),
        (LEVELS, lambda x, c: denoised(x, np.exp(c)), {"time": "log_sigma"}),
        (DiscreteVE(LEVELS), lambda x, k: denoised(x, np.array(LEVELS)[::-1][k]), {}),
        (DiscreteVP(BETAS), eps, {"prediction": "eps"}),
        ({"alphas_cumprod": BAR}, v, {"prediction": "v"}),
        (type("S", (), {"alphas_cumprod": BAR})(), eps, {"prediction": "eps"}),
    ],
)
def test_every_schedule(schedule, network, more):
    evidence = sp.check_denoiser(network, DATA, schedule=schedule, **more)
    assert evidence, evidence.explain()


def test_a_process_in_continuous_time():
    process = VPLinear()

    def network(x, t):
        a, s = column(process.alpha(t), x), column(process.sigma(t), x)
        return (x - a * denoised(x / a, np.ravel(s / a))) / s

    assert judge(network, process)
    wrong = judge(lambda x, t: network(x, 1 - t), process)
    assert wrong.diagnosis.names == ("time_reversed",) or "other way" in wrong.explain()


def test_a_scheduler_says_what_its_network_predicts():
    config = {"prediction_type": "v_prediction"}
    scheduler = type("S", (), {"alphas_cumprod": BAR, "config": config})()
    assert sp.check_denoiser(v, DATA, schedule=scheduler)
    assert sp.check_denoiser(eps, DATA, schedule=scheduler).diagnosis.names == ("returns_eps",)


def test_a_flow_scheduler():
    times = np.linspace(1000, 1, 1000)
    scheduler = type(
        "S", (), {"timesteps": times, "sigmas": times / 1000, "scale_noise": lambda *a: None}
    )()

    def velocity(x, t):
        s = column(t / 1000, x)
        x0 = denoised(x / (1 - s), np.ravel(s / (1 - s)))
        return (x - x0) / s

    levels = list(range(100, 1000, 100))
    assert sp.check_denoiser(velocity, DATA, schedule=scheduler, levels=levels)
    wrong = sp.check_denoiser(lambda x, t: -velocity(x, t), DATA, schedule=scheduler, levels=levels)
    assert "returns_minus_velocity" in wrong.diagnosis.names


@pytest.mark.parametrize(
    ("network", "cause"),
    [
        (lambda x, t: eps(x, np.maximum(t - 1, 0)), "time_plus_1"),
        (lambda x, t: eps(x, np.minimum(t + 1, 999)), "time_minus_1"),
        (lambda x, t: eps(x, 999 - t), "time_reversed"),
        (lambda x, t: -eps(x, t), "returns_minus_eps"),
        (lambda x, t: v(x, t), "returns_v"),
        (
            lambda x, t: denoised(x / np.sqrt(column(BAR[t], x)), np.sqrt((1 - BAR[t]) / BAR[t])),
            "returns_x0",
        ),
        (lambda x, t: eps(np.sqrt(column(BAR[t], x)) * x, t), "x_over_alpha"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_what_would_make_it_right(network, cause):
    evidence = judge(network)
    assert evidence.verdict == "refuted"
    assert cause in evidence.diagnosis.names, evidence.explain()


@pytest.mark.parametrize(
    ("network", "cause"),
    [
        (lambda x, s: denoised(x, s**2), "level_root"),
        (lambda x, s: denoised(x, np.sqrt(s)), "level_variance"),
        (lambda x, s: denoised(x, np.exp(s)), "level_log"),
        (lambda x, s: denoised(x, np.exp(4 * s)), "level_c_noise"),
        (lambda x, s: denoised(x, s / 2), "time_doubled"),
        (lambda x, s: denoised(x * np.sqrt(1 + column(s, x) ** 2), s), "x_at_unit_length"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_what_would_make_a_network_of_sigma_right(network, cause):
    evidence = judge(network, LEVELS, "x0")
    assert evidence.verdict == "refuted"
    assert cause in evidence.diagnosis.names, evidence.explain()


def test_where_it_is_wrong_is_said():
    def late(x, s):
        return denoised(x, s) * np.where(column(s, x) > 4, 1.5, 1.0)

    text = judge(late, LEVELS, "x0").explain()
    assert "at 2 of 6 noise levels" in text and "from 5 on" in text

    def entry(x, s):
        out = denoised(x, s)
        out[:, 1, 0] *= 1.1
        return out

    text = judge(entry, LEVELS, "x0", data=DATA.reshape(12, 3, 1)).explain()
    assert "entry (1, 0) of a sample of shape (3, 1)" in text


def test_a_tolerance_is_for_every_level():
    rough = judge(lambda x, s: denoised(x, s) * 1.01, LEVELS, "x0", tolerance=0.05)
    assert rough, rough.explain()
    assert rough.resolution == 0.05
    assert judge(lambda x, s: denoised(x, s) * 1.3, LEVELS, "x0", tolerance=0.05).verdict == (
        "refuted"
    )


@pytest.mark.parametrize("network", [lambda x, s: x, lambda x, s: 0 * x + DATA.mean(axis=0)])
def test_what_does_nothing_never_holds(network):
    for schedule in ([1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2], [200.0, 400.0, 800.0], LEVELS):
        evidence = judge(network, {"sigmas": schedule}, "x0", tolerance=0.05)
        assert evidence.verdict != "holds", evidence.explain()


def test_levels_at_which_the_data_say_nothing_are_named_and_not_counted():
    one = np.array([[0.0, 0.0], [1.0, 1.0]])
    schedule = {"sigmas": np.geomspace(0.3, 500.0, 12)}
    evidence = judge(lambda x, s: denoised(x, s, one), schedule, "x0", data=one, tolerance=0.05)
    assert evidence, evidence.explain()
    assert 3 <= evidence.coverage.looked_at["levels"] < 12
    assert "nothing is claimed" in evidence.explain()
    verdicts = evidence.table.column("verdict")
    assert (
        sum("not judged" in str(v) for v in verdicts) == 12 - evidence.coverage.looked_at["levels"]
    )
    asked = judge(
        lambda x, s: denoised(x, s, one),
        schedule,
        "x0",
        data=one,
        tolerance=0.05,
        levels=[3.0, 500.0],
    )
    assert asked.verdict == "undecided"  # the caller asked for a level that cannot be judged


def test_rows_of_other_times_and_one_time_for_all():
    mixing = judge(lambda x, t: eps(x, np.full(len(x), int(np.ravel(t)[0]))))
    assert mixing  # an array without axes serves: one time for the batch
    assert "one time for the whole batch" in mixing.explain()

    def first_row(x, t):
        return eps(x, np.full(len(x), t[0]))

    assert "depends on the times of other rows" in judge(first_row).explain()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["eps", "v"])
def test_torch_modules(dtype, kind):
    torch = pytest.importorskip("torch")
    held = getattr(torch, dtype)
    images = np.random.default_rng(1).uniform(-1, 1, (20, 3, 4, 4))

    class Unet(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.data = torch.nn.Parameter(torch.tensor(images.reshape(20, -1), dtype=held))
            table = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=held), 0)
            self.register_buffer("bar", table)

        def forward(self, x, timestep, class_labels=None):
            assert timestep.dtype == torch.int64 and class_labels.shape == (len(x),)
            b = self.bar[timestep].view(-1, 1)
            sigma, y = ((1 - b) / b).sqrt(), x.flatten(1) / b.sqrt()
            weights = torch.softmax(-(torch.cdist(y, self.data) ** 2) / (2 * sigma**2), dim=1)
            noise = (y - weights @ self.data) / sigma
            out = noise
            if kind == "v":
                out = b.sqrt() * noise - (1 - b).sqrt() * (weights @ self.data)
            return type("Out", (), {"sample": out.view_as(x)})()

    labels = {"class_labels": torch.zeros(1, dtype=torch.int64)}
    betas = torch.linspace(1e-4, 0.02, 1000, dtype=held)
    evidence = judge(Unet(), {"betas": betas}, kind, data=images, options=labels)
    assert evidence, evidence.explain()
    other = "v" if kind == "eps" else "eps"
    wrong = judge(Unet(), {"betas": betas}, other, data=images, options=labels)
    assert wrong.diagnosis.names == (f"returns_{kind}",), wrong.explain()
    learned = judge(Unet(), {"betas": betas}, kind, data=images, options=labels, tolerance=0.02)
    assert learned, learned.explain()


def test_jax_networks():
    jax = pytest.importorskip("jax")
    data = jax.numpy.asarray(DATA)

    def network(x, sigma):
        gaps = x[:, None] - data
        weights = jax.nn.softmax(-(gaps**2).sum(-1) / (2 * sigma[:, None] ** 2), axis=1)
        return weights @ data

    evidence = judge(network, LEVELS, "x0", framework="jax", tolerance=0.01)
    assert evidence, evidence.explain()


def test_zero_terminal_snr_is_left_out_and_said():
    bar = np.concatenate([BAR[:-1], [0.0]])
    evidence = judge(lambda x, t: eps(x, t, bar), {"alphas_cumprod": bar})
    assert evidence and "without signal at timestep 999" in evidence.explain()
    with pytest.raises(ArgumentError, match="α > 0"):
        judge(eps, {"alphas_cumprod": bar}, levels=[999])


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"schedule": BETAS}, "named, where all of a list is below 1"),
        ({"schedule": [1.0, 1.0, 0.5]}, "all falling, or all rising"),
        ({"schedule": {"beta": BETAS}}, "one of alphas_cumprod, betas, sigmas"),
        ({"schedule": {"betas": [0.1, 1.2, 0.1]}}, "in \\(0, 1\\)"),
        ({"schedule": object()}, "a list of σ, a mapping"),
        ({"levels": [0.5]}, "timesteps of the schedule, 0 to 999"),
        ({"levels": []}, "one time or more"),
        ({"shape": (5,)}, "of 3 numbers"),
        ({"shape": "x"}, "the shape of one sample"),
        ({"time": "beta"}, "one of t, sigma"),
        ({"cov": 1.0}, "left out where there is a schedule"),
        ({"alpha": 0.5}, "left out where there is a schedule"),
        ({"points": DATA}, "left out where there is a schedule"),
        ({"prior": np.zeros((0, 3))}, "data of shape"),
        ({"denoiser": "net"}, "callable"),
    ],
)
def test_bad_input(more, match):
    given = {"denoiser": eps, "prior": DATA, "schedule": TABLE, "prediction": "eps"} | more
    with pytest.raises(ArgumentError, match=match):
        sp.check_denoiser(**given)


@pytest.mark.parametrize(
    "more", [{"shape": (3,)}, {"levels": [1]}, {"options": {"y": 1}}, {"time": "sigma"}]
)
def test_what_belongs_to_a_schedule(more):
    with pytest.raises(ArgumentError, match="where there is no schedule"):
        sp.check_denoiser(lambda y: y, DATA, 1.0, **more)


def test_networks_that_cannot_be_judged():
    with pytest.raises(CallableError, match="ZeroDivisionError"):
        judge(lambda x, t: 1 / 0)
    with pytest.raises(CallableError, match="return shape"):
        judge(lambda x, t: eps(x, t)[:, :2])
    with pytest.raises(CallableError, match="at timestep .*found before: timestep 0 holds"):
        judge(lambda x, t: eps(x, t) * np.where(np.any(np.asarray(t) == 39), np.nan, 1.0))
    rng = np.random.default_rng(0)
    with pytest.raises(CallableError, match="deterministic"):
        judge(lambda x, t: eps(x, t) + rng.standard_normal(x.shape))


def test_the_picture():
    pytest.importorskip("matplotlib")
    evidence = judge(denoised, LEVELS, "x0", tolerance=0.1)
    ax = evidence.plot()
    assert ax.get_xscale() == "log" and ax.get_xlabel() == "noise level σ/α"
    assert evidence.to_dict()["table"]["columns"][0] == "σ"


def test_levels_are_even_in_log_noise():
    picked = [v.ratio for v in levels_of({"betas": BETAS}).spread(12)]
    steps = np.diff(np.log(picked))
    assert len(picked) == 12 and np.max(steps) < 1.3 * np.min(steps)


def test_calls_of_the_network_are_counted():
    calls = []

    def network(x, s):
        calls.append(len(x))
        return denoised(x, s)

    evidence = judge(network, LEVELS, "x0")
    assert evidence and evidence.cost["calls"] == 3 * 6
    assert len(calls) <= 3 * 6 + 16


# --- what a referee tried


def test_a_batch_of_one_is_asked():
    def squeezed(x, s):
        return np.zeros_like(x) if len(x) == 1 else denoised(x, s)

    evidence = judge(squeezed, LEVELS, "x0")
    assert evidence.verdict == "refuted" and "batch of one" in evidence.sentence


def test_one_time_for_all_rows_is_told_as_it_is():
    for network in (lambda x, t: eps(x, np.full(len(x), int(np.mean(t)))),):
        for levels in (None, [500]):
            text = judge(network, levels=levels).explain()
            assert "takes a time for each row, but" in text and "does not take" not in text


def test_levels_lost_to_rounding_are_no_majority():
    sigmas = [20.0, 10.0, 7.0, 5.0, 3.0, 2.0, 1.0, 0.5, 0.3]

    def half(x, s):
        out = denoised(x, s) * np.where(column(s, x) >= 2, 1.05, 1.0)
        return out.astype(np.float16)

    evidence = judge(half, sigmas, "x0", dtype=np.float16)
    assert evidence.verdict != "holds", evidence.explain()


@pytest.mark.parametrize("at", [0, 999])
def test_a_glitch_at_one_level_is_no_shift_of_the_index(at):
    def glitch(x, t):
        return np.where(column(t, x) == at, 0.0, eps(x, t))

    evidence = judge(glitch)
    assert evidence.verdict == "refuted"
    names = () if evidence.diagnosis is None else evidence.diagnosis.names
    assert not any(n.startswith("time") for n in names), evidence.explain()


def test_what_is_named_is_right_there():
    def wrong(x, s):
        return denoised(x, s) * np.where(column(s, x) == 5, 3.0, 1.0)

    assert "right when told" not in judge(wrong, LEVELS, "x0").explain()


def test_flow_schedulers_in_single_precision_and_beyond_their_table():
    times = np.linspace(1000, 1, 1000, dtype=np.float32)
    scheduler = type(
        "S", (), {"timesteps": times, "sigmas": times / 1000, "scale_noise": lambda *a: None}
    )()
    table = dict(zip(times.tolist(), (times / 1000).tolist(), strict=True))

    def velocity(x, t):
        s = column([table[float(v)] for v in np.ravel(t)], x)
        return (x - denoised(x / (1 - s), np.ravel(s / (1 - s)))) / s

    levels = list(range(100, 1000, 100))
    evidence = sp.check_denoiser(velocity, DATA, schedule=scheduler, levels=levels)
    assert evidence, evidence.explain()
    with pytest.raises(ArgumentError, match="timesteps from 1 to 1000"):
        sp.check_denoiser(velocity, DATA, schedule=scheduler, levels=[0.5, 100])


def test_two_levels_are_a_schedule():
    assert judge(denoised, [2.0, 1.0], "x0")


@pytest.mark.parametrize(
    ("more", "match"),
    [
        (
            {
                "schedule": type(
                    "P", (), {"alpha": lambda s, t: None, "sigma": lambda s, t: t, "horizon": 1.0}
                )()
            },
            "a process with alpha",
        ),
        ({"time": lambda t: 1 / 0}, "returns a number"),
        ({"time": lambda t: np.nan}, "finite at every level"),
        ({"options": [1, 2]}, "a mapping"),
        ({"prior": None}, "data, a GaussianMixture"),
    ],
)
def test_bad_input_of_a_referee(more, match):
    given = {"denoiser": eps, "prior": DATA, "schedule": TABLE, "prediction": "eps"} | more
    with pytest.raises(ArgumentError, match=match):
        sp.check_denoiser(**given)


def test_complex_answers_and_few_points():
    assert judge(lambda x, s: denoised(x, s) + 0.1j, LEVELS, "x0").verdict == "refuted"
    assert "nan" not in judge(denoised, LEVELS, "x0", n=1).explain()


def test_a_flow_by_its_name():
    class Straight:
        horizon = 1.0

        def alpha(self, t):
            return 1 - t

        def sigma(self, t):
            return t

    def flow(x, t):
        s = column(t, x)
        return (x - denoised(x / (1 - s), np.ravel(s / (1 - s)))) / s

    levels = [0.1, 0.3, 0.5, 0.9]
    assert sp.check_denoiser(flow, DATA, schedule=Straight(), prediction="flow", levels=levels)
    wrong = sp.check_denoiser(
        lambda x, t: -flow(x, t), DATA, schedule=Straight(), prediction="flow", levels=levels
    )
    assert "other sign" in wrong.explain()


def test_rows_are_told_apart_in_half_precision_too():
    def first_row(x, t):
        return eps(x, np.full(len(x), t[0])).astype(np.float16)

    text = judge(first_row, dtype=np.float16, tolerance=0.1).explain()
    assert "takes a time for each row, but" in text


def test_a_table_says_which_columns_it_has():
    table = judge(denoised, LEVELS, "x0").table
    with pytest.raises(ArgumentError, match="one of σ, largest error"):
        table.column("errors")
