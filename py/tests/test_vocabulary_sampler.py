"""Each known slip of a sampler, written as a user's code would, is named by the room for causes."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.objects.schedules import FlowMatching, VPLinear
from scoreproof.public.sampler.arguments import Request, validate
from scoreproof.public.sampler.causes import likely
from scoreproof.public.sampler.causes.explain import cause_of
from scoreproof.public.sampler.causes.formulas import formulas
from scoreproof.public.sampler.runs import Runs
from scoreproof.public.sampler.verdict import _judged

VP = VPLinear(0.1, 12.0)
TABLE = DiscreteVP(np.linspace(1e-4, 0.02, 1000))
BAR = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
STEPS = np.arange(960, 0, -40)
SIGMAS = np.linspace(15 ** (1 / 7), 0.05 ** (1 / 7), 16) ** 7
HIGH = np.geomspace(20, 1.5, 14)


def job_of(sampler, process=None, prediction=None, times=SIGMAS, exact=False, **more):
    return validate(
        Request(sampler, process, None, prediction, None, times, 2, None, exact, **more)
    )


def told(sampler, process=None, prediction=None, times=SIGMAS, among="", **more):
    """The cause that the check would say, without asking whether the sampler is wrong; ``among``:
    the name of the formula that is looked through, of all of them a second's work.
    """
    return cause(job_of(sampler, process, prediction, times, **more), among)


@contextmanager
def looking_through(among, kind="x0"):
    """Of all formulas the one of that name; every one where none is named."""

    def few(*arguments):
        every = formulas(*arguments)
        free = among == "Euler ancestral"
        one = [f for f in every if (f.name, f.kind, f.free) == (among, kind, free)]
        return one if among else every

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(likely, "formulas", few)
        yield


def cause(job, among=""):
    with looking_through(among, job.form.prediction):
        Runs(job).first()  # from it the form knows where the sampler asks
        found = cause_of(job, float(np.finfo(float).eps), lambda j: _judged(j)[0])
    return "" if found is None else found.sentence


def pairs(values):
    return list(zip(values[:-1], values[1:], strict=True))


def euler(tell=None, factor=lambda k: 1.0, ends=None):
    """Euler's method; ``tell``: what the model is told of step k, ``ends``: the levels it uses."""

    def sample(model, x, sigmas):
        for k, (s, n) in enumerate(pairs(sigmas)):
            out = model(x, s if tell is None else tell(k, s, n, sigmas))
            s, n = (s, n) if ends is None else ends(k, sigmas)
            x = x + factor(k) * (n - s) * (x - out) / s
        return x

    return sample


TOLD = {
    "the root of it (a standard deviation σ for the variance σ²)": lambda k, s, n, all_: s**0.5,
    "log(t)/4, the c_noise of EDM": lambda k, s, n, all_: np.log(s) / 4,
    "the time in the middle of the step": lambda k, s, n, all_: (s + n) / 2,
    "the index of the step + 1": lambda k, s, n, all_: k + 1.0,
    "the time of the step before, of index k - 1": lambda k, s, n, all_: all_[max(k - 1, 0)],
    "the times of the grid in reversed order": lambda k, s, n, all_: all_[len(all_) - 1 - k],
    "the square of it": lambda k, s, n, all_: s**2,
    "the next time, t_next": lambda k, s, n, all_: n,
}


@pytest.mark.parametrize("words", TOLD)
def test_what_the_model_is_told(words):
    text = told(euler(TOLD[words]), times=HIGH, among="Euler's method")
    assert f"the model is told {words}" in text, text


def ddim(eta=0.0, tell=lambda k, t, n: t, bars=None, prediction="eps"):
    """DDIM on the table of ᾱ; ``bars``: its entries at both ends of step k."""

    def sample(model, x, times, rng):
        times = [int(t) for t in times]
        for k, (t, n) in enumerate(pairs(times)):
            a, b = (BAR[t], BAR[n]) if bars is None else bars(k, times)
            out = model(x, tell(k, t, n))
            x0 = (x - (1 - a) ** 0.5 * out) / a**0.5
            std = eta * ((1 - b) / (1 - a) * max(1 - a / b, 0.0)) ** 0.5
            x = b**0.5 * x0 + (1 - b - std**2) ** 0.5 * out + std * rng.standard_normal(x.shape)
        return x

    return sample


def test_the_index_counted_down():
    sampler = ddim(tell=lambda k, t, n: len(STEPS) - 2 - k)
    text = told(sampler, TABLE, "eps", STEPS)
    assert "the index of the step counted down" in text, text


def heun(first=lambda s, n: s, second=lambda s, n: n):
    def sample(model, x, sigmas):
        for s, n in pairs(sigmas):
            d = (x - model(x, first(s, n))) / s
            y = x + (n - s) * d
            x = x + (n - s) * (d + (y - model(y, second(s, n))) / n) / 2
        return x

    return sample


def test_what_one_of_two_calls_is_told():
    text = told(heun(first=lambda s, n: n))
    assert "the model is told the next time, t_next" in text and " in the first call" in text, text
    text = told(heun(second=lambda s, n: n * (1 + n / 40)))
    assert "told another time than the one that x is at in the second call" in text, text


def at(k, values):
    return values[min(max(k, 0), len(values) - 1)]


ENDS = {
    "the step's start (α, σ at t) is taken from the index before": (
        lambda k, v: (at(k - 1, v), at(k + 1, v))
    ),
    "one index too far down the grid (k + 2 for k + 1)": lambda k, v: (at(k, v), at(k + 2, v)),
    "(k for k + 1): x stays at the level it is at": lambda k, v: (at(k, v), at(k, v)),
    "both ends of the step are taken one index too far down": (
        lambda k, v: (at(k + 1, v), at(k + 2, v))
    ),
    "both ends of the step are taken one index too early": lambda k, v: (at(k - 1, v), at(k, v)),
}


@pytest.mark.parametrize("words", ENDS)
def test_levels_of_another_index(words):
    text = told(euler(ends=ENDS[words]), among="Euler's method")
    assert words in text, text


def test_entries_beside_the_timesteps():
    for shift, words in ((-1, "before the timestep (t - 1"), (1, "after the timestep (t + 1")):

        def bars(k, t, shift=shift):
            return BAR[t[k] + shift], BAR[t[k + 1] + shift]

        text = told(ddim(bars=bars), TABLE, "eps", STEPS[14:], among="DDIM")
        assert f"ᾱ is taken from the entry of the table {words}" in text, text
        assert "at both ends of the step" in text and "otherwise as well" not in text, text


class Table:
    """DDIM as a scheduler; ``entries``: of the table, at both ends of the step (-1: the data)."""

    def __init__(self, entries=lambda t, n: (t, n), forward=1.0):
        self.alphas_cumprod = BAR
        self.config = {"prediction_type": "epsilon", "num_train_timesteps": 1000}
        self.entries, self.forward = entries, forward

    def set_timesteps(self, n):
        self.stride = 1000 // n
        self.timesteps = np.arange(n)[::-1] * self.stride + 1

    def add_noise(self, x, noise, t):
        bar = BAR[t].reshape(-1, *[1] * (x.ndim - 1))
        return bar**0.5 * x + self.forward * (1 - bar) ** 0.5 * noise

    def bar(self, at):
        return BAR[min(at, 999)] if at >= 0 else 1.0

    def step(self, out, t, x):
        n = t - self.stride if t > self.stride else -1
        a, b = (self.bar(at) for at in self.entries(t, n))
        x0 = (x - (1 - a) ** 0.5 * out) / a**0.5
        return (b**0.5 * x0 + (1 - b) ** 0.5 * out,)


ENTRIES = {
    "before the timestep (t - 1 for t), at both ends of the step": (
        lambda t, n: (t - 1, n - 1 if n >= 0 else n)
    ),
    "after the timestep (t + 1 for t), at both ends of the step": (
        lambda t, n: (t + 1, n + 1 if n >= 0 else n)
    ),
    "before the timestep (t - 1 for t), at the step's start": lambda t, n: (t - 1, n),
}


@pytest.mark.parametrize("words", ENTRIES)
def test_another_entry_of_a_scheduler_s_table(words):
    job = validate(Request(Table(ENTRIES[words]), None, None, None, 10, None, 2, None, False))
    text = cause(job, "DDIM")
    assert f"ᾱ is taken from the entry of the table {words}" in text, text


def test_a_forward_process_that_is_not_its_table_s():
    job = validate(Request(Table(forward=0.9), None, None, None, 10, None, 2, None, False))
    text = cause(job)
    assert "add_noise gives the noise another factor than √(1 - ᾱ) of its table" in text, text


def kutta(factor):
    """A method of third order that is not known here."""

    def sample(model, x, times):
        for t, n in pairs(times):
            h = n - t
            k1 = factor * model(x, t)
            k2 = factor * model(x + h / 2 * k1, t + h / 2)
            x = x + h / 6 * (k1 + 4 * k2 + factor * model(x - h * k1 + 2 * h * k2, n))
        return x

    return sample


AGAIN = {
    "a model that returns twice what it is the sampler keeps the laws: a factor 2 is missing": 0.5,
    "a model that returns half of it the sampler keeps the laws: a factor 2 is too much": 2.0,
}


@pytest.mark.parametrize("words", AGAIN)
def test_an_unknown_method_asked_again_with_another_model(words):
    text = told(kutta(AGAIN[words]), FlowMatching(), "flow", np.linspace(0.9, 0.1, 14))
    assert words in text, text


def test_the_raw_network_taken_for_another_prediction():
    text = told(euler(), None, "F")
    assert "the model's output is EDM's raw network F, but the steps take it for" in text, text


def test_unknown_steps_whose_model_is_told_wrong():
    def sample(model, x, sigmas):
        for k, (s, n) in enumerate(pairs(sigmas)):
            x = np.cos(k) * x + np.sin(3 * k + 1) * model(x, s**2) + 0.1 * (n - s)
        return x

    text = told(sample, times=HIGH, among="Euler's method")
    assert "no known slip explains all steps, but the model is told the square" in text, text


def predictor(x, t, n, z, model):
    """Song et al. 2021, on the table of β: its names are those of the step to n."""
    beta = 1 - BAR[int(t)] / BAR[int(n)]
    return (2 - (1 - beta) ** 0.5) * x + beta * model(x, t) + beta**0.5 * z


def heun_ode(model, x, times):
    for t, n in pairs(times):
        slope = VP.drift(x, t) - VP.diffusion(t) ** 2 * model(x, t) / 2
        y = x + (n - t) * slope
        other = VP.drift(y, n) - VP.diffusion(n) ** 2 * model(y, n) / 2
        x = x + (n - t) * (slope + other) / 2
    return x


def test_right_methods_by_their_names():
    text = told(predictor, TABLE, "score", STEPS)
    assert "those of the reverse diffusion predictor: why the laws are off" in text, text
    text = told(heun_ode, VP, "score", np.linspace(0.9, 0.1, 20))
    assert "those of Heun's method on the probability-flow ODE" in text, text


def step_told_the_first_time(x, t, n, z, model):
    h, g2 = t - n, VP.diffusion(t) ** 2
    return x - h * (VP.drift(x, t) - g2 * model(x, 0.9)) + (g2 * h) ** 0.5 * z


def test_a_step_whose_model_is_always_told_the_first_time():
    times = np.linspace(0.9, 0.1, 20)
    text = told(step_told_the_first_time, VP, "score", times, among="Euler–Maruyama")
    assert "the model is told the first time in every step" in text, text


def test_a_last_step_that_is_not_taken_or_that_adds_noise():
    def kept(model, x, sigmas):
        for s, n in pairs(sigmas):
            out = model(x, s)
            x = x + (n - s) * (x - out) / s if n > 0 else x
        return x

    def noisy(model, x, sigmas, rng):
        for s, n in pairs(sigmas):
            y = x
            x = model(x, s) if n == 0 else x + (n - s) * (x - model(x, s)) / s
            if n == 0:
                x = 0.5 * y + 0.5 * x + 0.1 * s * rng.standard_normal(x.shape)
        return x

    times = [*SIGMAS, 0.0]
    text = told(kept, times=times, among="Euler's method")
    assert "is not taken: x is returned as it is there, with the noise" in text, text
    text = told(noisy, times=times, among="Euler's method")
    assert "adds noise" in text and "let it lead to the data, to x_0 itself" in text, text


def test_one_number_for_another_in_all_places():
    def bars(k, t):
        return BAR[t[k]] ** 0.5, BAR[t[k + 1]]

    text = told(ddim(bars=bars), TABLE, "eps", STEPS[12:], among="DDIM")
    assert "stands where" in text and "in all places" in text, text


def ancestral(noise=lambda k, s, n, up: up, seen=None):
    def sample(model, x, sigmas, rng):
        z = None
        for k, (s, n) in enumerate(pairs(sigmas)):
            up = 0.6 * (n**2 * (s**2 - n**2) / s**2) ** 0.5
            old, z = z, rng.standard_normal(x.shape)
            z = old if k == 5 and seen else z
            x = x + ((n**2 - up**2) ** 0.5 - s) * (x - model(x, s)) / s + noise(k, s, n, up) * z
        return x

    return sample


def test_noise_that_is_used_again():
    text = told(ancestral(seen=True), among="Euler ancestral")
    assert "is used again in a later step, while each step needs noise of its own" in text, text


NOISES = {
    "σ_t^1.5 that is not due": lambda k, s, n, up: up * s**1.5,
    "in 3 of 15 steps, the first from": lambda k, s, n, up: up * (1.3 if k in (4, 7, 9) else 1),
    "in the step from σ = ": lambda k, s, n, up: up * (1.3 if k == 6 else 1),
}


@pytest.mark.parametrize("words", NOISES)
def test_a_factor_of_the_noise(words):
    text = told(ancestral(NOISES[words]), among="Euler ancestral")
    assert words in text, text


def test_a_term_that_is_negated():
    def sample(model, x, sigmas):
        for s, n in pairs(sigmas):
            x = -x + (n - s) * (x - model(x, s)) / s
        return x

    text = told(sample, among="Euler's method")
    assert "x has the wrong sign in x_next" in text, text


def test_steps_that_are_right_in_the_limit_alone():
    def step(x, t, n, z, model):
        h, g2 = t - n, VP.diffusion(t) ** 2
        return x - h * (VP.drift(x, t) - g2 * model(x, t)) + (g2 * h) ** 0.5 * z

    times = np.linspace(0.9, 0.1, 20)
    text = told(step, VP, "score", times, among="Euler–Maruyama", exact=True)
    assert "without a mistake, which keeps the laws only in the limit of many steps" in text, text


def check(sampler, *arguments, steps=None, **more):
    return sp.check_sampler(sampler, *arguments, shape=1, steps=steps, **more)


def test_draws_that_are_not_normal():
    def exponential(model, x, sigmas, rng):
        return euler()(model, x, sigmas) + 0 * rng.exponential(size=x.shape)

    def uniform(model, x, sigmas, rng):
        return euler(factor=lambda k: 1 + 0.2 * rng.uniform())(model, x, sigmas)

    text = check(exponential, times=SIGMAS).explain()
    assert "it draws " in text and "is no Gaussian one; pass a sampler in which" in text, text
    text = check(uniform, times=SIGMAS).explain()
    assert "it draws uniform numbers (" in text and "that change the law of x" in text, text


def test_x_that_is_bent():
    def sample(model, x, sigmas):
        for s, n in pairs(sigmas):
            x = x + (n - s) * (x - model(x, s)) / s + 1e-3 * np.sin(x)
        return x

    text = check(sample, times=SIGMAS).explain()
    assert "switch clipping and thresholding off, or hand the generator in" in text, text


def test_an_end_that_is_not_the_data():
    def sample(model, x, sigmas):
        x = euler()(model, x, sigmas[:-1])
        return 1.05 * model(x, sigmas[-2])

    text = check(sample, times=[*SIGMAS, 0.0]).explain()
    assert "the last step does not lead to the data" in text, text


def test_methods_that_look_back_by_no_known_formula():
    def sample(model, x, sigmas):
        old = older = None
        for s, n in pairs(sigmas):
            d, h = (x - model(x, s)) / s, n - s
            slope = d
            if older is not None:
                slope = d + h / (2 * old[1]) * (d - old[0]) + 0.05 * h**2 * (d - older[0])
            older, old = old, (d, h)
            x = x + h * slope
        return x

    with looking_through("DPM-Solver++(2M)"):
        text = check(sample, times=np.linspace(3, 0.3, 12), order=2).explain()
    assert "its steps are of no formula that is known here" in text, text


def test_a_first_step_that_is_wrong_otherwise():
    def noise(k, s, n, up):
        return n if k else 1.9 * up

    text = told(ancestral(noise), among="Euler ancestral")
    assert "is wrong otherwise as well (is it treated apart?)" in text, text


def test_two_draws_of_each_step():
    def sample(model, x, sigmas, rng):
        for s, n in pairs(sigmas):
            up = 0.6 * (n**2 * (s**2 - n**2) / s**2) ** 0.5
            z = (rng.standard_normal(x.shape) + rng.standard_normal(x.shape)) / 2**0.5
            x = x + ((n**2 - up**2) ** 0.5 - s) * (x - model(x, s)) / s + 1.3 * up * z
        return x

    text = told(sample, among="Euler ancestral")
    assert "Two draws of noise enter each step; here they are taken together" in text, text


@pytest.mark.parametrize(
    ("power", "says"),
    [(0, "does not become less as the steps become narrower"), (1, "falls as its width")],
)
def test_noise_of_the_wrong_power_of_the_step_is_measured(power, says):
    def step(x, t, n, z, model):
        more = 1 + 0.3 * np.cos(40 * t)
        drift = VP.drift(x, t) - more * VP.diffusion(t) ** 2 * model(x, t)
        return x - (t - n) * drift + more * (1 + t) * (t - n) ** power * z

    text = check(step, VP, times=np.linspace(0.9, 0.1, 20)).explain()
    assert says in text, text


def test_a_model_that_is_never_called():
    def step(x, t, n, z, model):
        return x - (t - n) * VP.drift(x, t) + np.cos(40 * t) * z

    text = check(step, VP, times=np.linspace(0.9, 0.1, 20)).explain()
    assert "Cause: the model is never called" in text, text


def test_names_of_predictions_that_cannot_be_taken():
    with pytest.raises(sp.ArgumentError, match="one name, or two different ones or more"):
        check({"eps": ddim(), "v": ddim()}, TABLE, prediction=("eps",), times=STEPS)
    scaled = Table()
    scaled.precondition_outputs = lambda *a: a
    with pytest.raises(sp.ArgumentError, match="F, where the scheduler scales.*leave it away"):
        check(scaled, prediction=("eps", "v"))


def test_schedulers_that_cannot_be_run():
    class NoForward(Table):
        add_noise = None

    class Stubborn(Table):
        def set_timesteps(self, n, sigmas):
            raise ValueError("sigmas")

    class Shy(Table):
        def step(self, out, t, x):
            raise RuntimeError("no")

    with pytest.raises(sp.ArgumentError, match="neither add_noise nor scale_noise.*pass process="):
        check(NoForward())
    with pytest.raises(sp.CallableError, match="pass steps= that it takes, or setup="):
        check(Stubborn())
    with pytest.raises(sp.CallableError, match="call it once by hand as step"):
        check(Shy())


def test_coordinates_that_mix_and_are_too_many():
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(65, 65)))[0]

    def sample(model, x, sigmas, rng):
        for s, n in pairs(sigmas):
            up = 0.6 * (n**2 * (s**2 - n**2) / s**2) ** 0.5
            x = x + ((n**2 - up**2) ** 0.5 - s) * (x - model(x, s)) / s
            x = x + up * rng.standard_normal(x.shape) @ turn
        return x

    text = sp.check_sampler(sample, times=SIGMAS, shape=65).explain()
    assert "65 of them are too many to ask one by one: pass a shape of at most 64" in text, text


def test_an_end_that_is_right_for_one_point_alone():
    def sample(model, x, sigmas):
        first = model(x, sigmas[0])
        x = euler()(model, x, sigmas[:-1])
        return (first + model(x, sigmas[-2])) / 2

    text = check(sample, times=[*SIGMAS, 0.0]).explain()
    assert "in units of the data's width" in text, text


def test_an_end_and_steps_that_are_right_for_one_point():
    text = check(euler(), times=[*SIGMAS, 0.0], exact=True).explain()
    assert "the chain ends at the denoised last x" in text, text
    assert "steps data at one point have the law of the forward process after every" in text, text


def adams(of):
    """Two steps of Adams–Bashforth on ε, or on x_0: the same in the limit."""

    def sample(model, x, sigmas):
        old = None
        for s, n in pairs(sigmas):
            out = model(x, s)
            used = out if old is None else 1.5 * out - 0.5 * old
            x = x + (n - s) * (used if of == "eps" else (x - used) / s)
            old = out
        return x

    return sample


def test_prediction_types_that_agree_in_the_limit_alone():
    text = check({"eps": adams("eps"), "x0": adams("x0")}, times=SIGMAS).explain()
    assert "x tends to the same, although at " in text and "exact=True asks that it" in text, text


def test_prediction_types_that_make_other_steps():
    def half(model, x, sigmas):
        return euler()(model, x, sigmas[::2])

    text = check({"x0": euler(), "eps": half}, times=SIGMAS).explain()
    assert "with one prediction type it makes another number of steps than with another" in text


def flow(kind, factor=1.0):
    def sample(model, x, times):
        for t, n in pairs(times):
            out = model(x, t)
            v = out if kind != "x0" else (x - out) / t
            x = x + (n - t) * factor * v
        return x

    return sample


def test_a_velocity_that_is_taken_for_more_than_it_is():
    both = {"flow": flow("flow"), "velocity": flow("velocity", 1.01), "x0": flow("x0")}
    text = check(both, FlowMatching(), times=np.linspace(0.9, 0.1, 14), exact=True).explain()
    assert "the velocity is dα/dt x_0 + dσ/dt ε" in text, text


def test_an_order_that_is_nearly_reached():
    def sample(model, x, sigmas):
        for s, n in pairs(sigmas):
            d = (x - model(x, s)) / s
            y = x + (n - s) * d
            more = 1 + 0.3 * (1 - n / s) ** 1.55
            x = x + more * (n - s) * (d + (y - model(y, n)) / n) / 2
        return x

    with looking_through("Heun's method"):
        text = check(sample, times=SIGMAS[::3], order=2).explain()
    assert "it falls short of it (steps of a lower order at the start or the end?)" in text, text


def test_a_coarse_type():
    text = check(euler(), times=SIGMAS, dtype="float16").explain()
    assert "use float32 or float64" in text, text


def test_a_velocity_of_any_process():
    """Its rates are those of the process: the straight path's, or what dα/dt and dσ/dt are."""
    times = np.linspace(0.9, 0.1, 14)
    both = {"x0": flow("x0"), "velocity": flow("velocity")}
    text = check(both, FlowMatching(), times=times).explain()
    assert "x is the same after every step with x0 and velocity" in text, text
    assert check(flow("velocity"), VP, prediction="velocity", times=times)
    text = told(flow("velocity", 1.3), VP, "velocity", times, among="Euler's method")
    assert "out is multiplied by 1.3" in text, text

    class Bare:
        alpha, sigma = VP.alpha, VP.sigma

    assert check(flow("velocity"), Bare(), prediction="velocity", times=times)  # by differences


SIZES = {
    "η·√(1 - ᾱ_prev)·z where std·z": lambda a, b: 0.6 * (1 - b) ** 0.5,
    "η·√(1 - ᾱ_t)·z where std·z": lambda a, b: 0.6 * (1 - a) ** 0.5,
    "η·√β_t·z where std·z": lambda a, b: 0.6 * (1 - a / b) ** 0.5,
}


@pytest.mark.parametrize("words", SIZES)
def test_another_size_of_the_noise(words):
    """In front of z, while the mean is that of η = 0.6."""

    def step(x, t, n, z, model):
        a, b = BAR[int(t)], BAR[int(n)]
        out = model(x, t)
        x0 = (x - (1 - a) ** 0.5 * out) / a**0.5
        var = 0.36 * (1 - b) / (1 - a) * (1 - a / b)
        return b**0.5 * x0 + (1 - b - var) ** 0.5 * out + SIZES[words](a, b) * z

    def free(*arguments):
        return [f for f in formulas(*arguments) if f.name == "DDIM" and f.kind == "eps" and f.free][
            :1
        ]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(likely, "formulas", free)
        job = job_of(step, TABLE, "eps", STEPS[16:])
        Runs(job).first()
        text = cause_of(job, 1e-15, lambda j: _judged(j)[0]).sentence
    assert f"it has {words}" in text, text


GROWN = {
    "√(σ_t² - σ_next²)·z where σ_up·z": lambda s, n: (s**2 - n**2) ** 0.5,
    "√dt·z where σ_up·z": lambda s, n: (s - n) ** 0.5,
    "dt·z where σ_up·z": lambda s, n: s - n,
    "σ_t·√dt·z where σ_up·z": lambda s, n: s * (s - n) ** 0.5,
    "σ_next·√dt·z where σ_up·z": lambda s, n: n * (s - n) ** 0.5,
}


@pytest.mark.parametrize("words", GROWN)
def test_another_size_of_ancestral_noise(words):
    sampler = ancestral(lambda k, s, n, up: GROWN[words](s, n))
    text = told(sampler, times=SIGMAS[:7], among="Euler ancestral")
    assert f"it has {words}" in text, text
