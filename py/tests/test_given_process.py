"""A forward process goes in as people have it, in every check that takes one."""

import numpy as np
import pytest

from scoreproof import check_corrector, check_sampler
from scoreproof.errors import ArgumentError
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.public.given_process import process_given

BETAS = np.linspace(1e-4, 2e-2, 1000)
BAR = np.cumprod(1 - BETAS)


class Scheduler:
    alphas_cumprod = BAR


FORMS = {
    "betas": {"betas": BETAS},
    "alphas_cumprod": {"alphas_cumprod": BAR},
    "an object": Scheduler(),
    "DiscreteVP": DiscreteVP(BETAS),
}


@pytest.mark.parametrize("form", FORMS)
def test_tables_go_in_as_they_are_kept(form):
    process, _ = process_given(FORMS[form])
    assert process.alpha(500) == pytest.approx(BAR[500] ** 0.5, rel=1e-13)
    assert process.steps == 1000


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("late", [False, True])
def test_a_step_of_ddim_is_judged_with_any_of_them(form, late):
    def step(x, t, t_next, noise, model):
        now, then = BAR[int(t)], BAR[int(t_next)] if t_next >= 0 else 1.0
        eps = model(x, t)
        x0 = (x - np.sqrt(1 - now) * eps) / np.sqrt(now)
        return np.sqrt(then) * x0 + (1 - then if late else np.sqrt(1 - then)) * eps

    times = [*range(999, -1, -50), -1]
    found = check_sampler(step, FORMS[form], prediction="eps", times=times)
    assert found.verdict == ("refuted" if late else "holds"), found.sentence


OF_CORRECTORS = FORMS | {
    "sigmas": {"sigmas": np.geomspace(50, 0.01, 20)},
    "flow": "flow",
    "two functions": (lambda t: 1 - t, lambda t: t),
}


@pytest.mark.parametrize("form", OF_CORRECTORS)
@pytest.mark.parametrize("wrong", [False, True])
def test_a_corrector_is_judged_at_the_level_of_any_of_them(form, wrong):
    def ula(score, x, t, step_size, rng):
        noise = rng.normal(size=x.shape)
        return x + step_size * score(x, t) + np.sqrt((1 if wrong else 2) * step_size) * noise

    found = check_corrector(ula, OF_CORRECTORS[form])
    assert found.verdict == ("refuted" if wrong else "holds"), found.sentence


@pytest.mark.parametrize(
    ("process", "says"),
    [
        ("ve", "'flow'"),
        ({"gammas": [1.0]}, "betas or alphas_cumprod"),
        ({"sigmas": [3.0, 2.0, 1.0]}, "without a process the time is σ"),
        (3.0, "alpha"),
    ],
)
def test_what_is_no_process_is_told_what_is(process, says):
    with pytest.raises(ArgumentError, match="process must be") as error:
        check_sampler(lambda x, t, u, noise, model: x, process)
    assert says in str(error.value)
