"""check_preconditioning: the scalings around a network, right and wrong."""

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.public.preconditioning.forms import COEFFICIENTS, FORMS, slips

HALF = 0.5


def coefficients(form="edm", sigma_data=HALF, **other):
    found = {}
    for name in COEFFICIENTS:
        formula = FORMS[form].of(name)
        if formula is not None:
            found[name] = lambda s, f=formula: float(f(np.array([s]), sigma_data)[0])
    return found | other


def wrapped(functions):
    """network -> denoiser, with σ a number or one for each sample."""

    def around(network):
        def denoiser(x, sigma):
            s = np.reshape(np.asarray(sigma, float), (-1,) + (1,) * (x.ndim - 1))
            skip, out, into = (np.vectorize(functions[n])(s) for n in ("c_skip", "c_out", "c_in"))
            told = np.vectorize(functions.get("c_noise", lambda v: v))(np.ravel(s))
            return skip * x + out * network(into * x, told)

        return denoiser

    return around


@pytest.mark.parametrize("form", list(FORMS))
@pytest.mark.parametrize("shape", [(4,), (3, 4, 4)])
def test_published_forms_hold(form, shape):
    functions = coefficients(form)
    data = HALF if form == "edm" else None
    for given in (functions, wrapped(functions)):
        evidence = sp.check_preconditioning(given, form=form, sigma_data=data, shape=shape)
        assert evidence, evidence.explain()
    assert "c_skip" in str(evidence.table)


@pytest.mark.parametrize("sigma_data", [0.1, 0.5, 1.0, 16.0])
def test_sigma_data_is_read_where_none_is_declared(sigma_data):
    evidence = sp.check_preconditioning(wrapped(coefficients(sigma_data=sigma_data)))
    assert evidence and f"σ_data = {sigma_data:g}" in evidence.explain()


@pytest.mark.parametrize("other", [0.25, 0.499, 0.5005, 1.0])
def test_a_wrong_sigma_data_is_named(other):
    evidence = sp.check_preconditioning(wrapped(coefficients(sigma_data=other)), sigma_data=HALF)
    assert evidence.verdict == "refuted"
    assert f"σ_data is {other:.4g} in it where 0.5 is declared" in evidence.explain()


@pytest.mark.parametrize("name", ["c_skip", "c_out", "c_in"])
def test_one_coefficient_with_another_sigma_data(name):
    functions = coefficients() | {name: coefficients(sigma_data=1.0)[name]}
    for declared in (HALF, None):
        evidence = sp.check_preconditioning(wrapped(functions), sigma_data=declared)
        assert evidence.diagnosis.names == (name,), evidence.explain()


@pytest.mark.parametrize(
    ("name", "slip"), [(n, w) for n in COEFFICIENTS for w in slips(n)], ids=lambda v: v[:30]
)
def test_every_slip_is_refuted_and_explained(name, slip):
    formula = slips(name)[slip]
    with np.errstate(all="ignore"):
        functions = coefficients() | {name: lambda s: float(formula(np.array([s]), HALF)[0])}
        evidence = sp.check_preconditioning(functions, sigma_data=HALF)
    assert evidence.verdict == "refuted", evidence.explain()
    assert name in evidence.sentence
    assert evidence.diagnosis is not None and name in evidence.diagnosis.names


def test_another_form_is_named():
    evidence = sp.check_preconditioning(wrapped(coefficients("v")), sigma_data=HALF)
    assert evidence.diagnosis.names == ("form_v",)


def test_the_data_say_what_sigma_data_is():
    data = np.random.default_rng(0).normal(0, 0.3, (200, 3, 4, 4))
    wrong = sp.check_preconditioning(wrapped(coefficients()), data=data)
    assert wrong.verdict == "refuted" and "Set sigma_data = 0.3" in wrong.explain()
    assert sp.check_preconditioning(wrapped(coefficients(sigma_data=0.3)), data=data)
    assert sp.check_preconditioning(wrapped(coefficients()), data=data, data_within=0.9)


def test_what_is_not_c_skip_x_plus_c_out_f():
    functions = coefficients()

    def clipped(network):
        inner = wrapped(functions)(network)
        return lambda x, s: np.clip(inner(x, s), -0.9, 0.9)

    evidence = sp.check_preconditioning(clipped)
    assert evidence.verdict == "refuted" and "clips its answer to ±0.9" in evidence.explain()

    def crossed(network):
        inner = wrapped(functions)(network)
        skipped = wrapped(functions)(lambda y, c: 0 * y)
        return lambda x, s: inner(x, s) + 0.05 * x * (inner(x, s) - skipped(x, s))

    evidence = sp.check_preconditioning(crossed)
    assert evidence.verdict == "refuted" and "D is not c_skip x + c_out F" in evidence.explain()

    def uneven(network):
        inner = wrapped(functions)(network)
        return lambda x, s: inner(x, s) * np.linspace(1, 1.1, x.shape[1])

    assert sp.check_preconditioning(uneven).verdict == "refuted"


def test_what_the_network_is_told():
    functions = coefficients(c_noise=lambda s: s)
    assert sp.check_preconditioning(wrapped(functions)).diagnosis.names == ("c_noise",)
    assert sp.check_preconditioning(wrapped(functions), c_noise="sigma")
    assert sp.check_preconditioning(wrapped(functions), c_noise="any")
    assert sp.check_preconditioning(wrapped(functions), c_noise=lambda s: s)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_torch_modules(dtype):
    torch = pytest.importorskip("torch")
    held = getattr(torch, dtype)

    class Precond(torch.nn.Module):
        def __init__(self, sigma_data, missing=False):
            super().__init__()
            self.sigma_data, self.missing = sigma_data, missing
            self.model = torch.nn.Linear(4, 4)

        def forward(self, x, sigma, class_labels=None, force_fp32=False):
            x, d = x.to(held), self.sigma_data
            sigma = sigma.to(held).reshape(-1, *[1] * (x.ndim - 1))
            total = sigma**2 + d**2
            skip, into = d**2 / total, 1 / total.sqrt()
            out = sigma * d / (total if self.missing else total.sqrt())
            f = self.model(into * x, (sigma.log() / 4).flatten(), class_labels=class_labels)
            return skip * x + out * f

    net = Precond(HALF)
    held_model = net.model
    evidence = sp.check_preconditioning(net, sigma_data=HALF, shape=(3, 4, 4))
    assert evidence, evidence.explain()
    assert net.model is held_model  # the caller's own module is as it was
    wrong = sp.check_preconditioning(Precond(1.0), sigma_data=HALF)
    assert "σ_data is 1 in it" in wrong.explain()
    assert "square root is missing" in sp.check_preconditioning(Precond(HALF, True)).explain()


def test_scalings_of_sigma():
    def get_scalings(sigma):
        total = sigma**2 + HALF**2
        return HALF**2 / total, sigma * HALF / total**0.5, 1 / total**0.5

    evidence = sp.check_preconditioning(get_scalings, sigma_data=HALF)
    assert evidence and "not looked at: c_noise" in evidence.explain()

    def swapped(sigma):
        skip, out, into = get_scalings(sigma)
        return out, skip, into

    told = sp.check_preconditioning(swapped, sigma_data=HALF).explain()
    assert "c_skip and c_out are exchanged" in told


@pytest.mark.parametrize(
    ("given", "more", "error", "match"),
    [
        ("net", {}, ArgumentError, "a mapping of functions"),
        ({"skip": lambda s: s}, {}, ArgumentError, "c_skip, c_out"),
        ({}, {}, ArgumentError, "an empty mapping"),
        (coefficients(), {"sigma_data": -1}, ArgumentError, "sigma_data must be finite and > 0"),
        (coefficients(), {"sigmas": [1.0, 0.0, 2.0]}, ArgumentError, "all > 0 and different"),
        (coefficients(), {"sigmas": [1.0]}, ArgumentError, "three noise levels"),
        (coefficients(), {"form": "ddpm"}, ArgumentError, "one of edm"),
        (coefficients(), {"data": np.ones(4)}, ArgumentError, "not all alike"),
        (coefficients(), {"c_noise": 3}, ArgumentError, "a function of σ"),
        (coefficients(), {"shape": ()}, ArgumentError, "shape of one sample"),
        (lambda network: lambda x, s: x, {}, CallableError, "it never did"),
        (lambda network: 3, {}, CallableError, "return a denoiser"),
        (lambda sigma: 3, {}, CallableError, "return \\(c_skip"),
        ({"c_in": lambda s: 1 / 0}, {}, CallableError, "ZeroDivisionError"),
    ],
)
def test_bad_input(given, more, error, match):
    with pytest.raises(error, match=match):
        sp.check_preconditioning(given, **more)


def test_an_inner_network_by_its_name():
    class Model:
        def __init__(self):
            self.core = None

        def __call__(self, x, sigma):
            return wrapped(coefficients())(self.core)(x, sigma)

    assert sp.check_preconditioning(Model(), inner="core")
    with pytest.raises(ArgumentError, match="an attribute of the module"):
        sp.check_preconditioning(Model(), inner="unet")


# --- what a referee tried


@pytest.mark.parametrize("name", ["c_skip", "c_out", "c_in", "c_noise"])
@pytest.mark.parametrize("pick", [lambda s: s[:1], lambda s: s.mean(keepdims=True)])
def test_every_sample_has_its_own_sigma(name, pick):
    functions = coefficients()

    def around(network):
        def denoiser(x, sigma):
            s = np.broadcast_to(np.ravel(np.asarray(sigma, float)), (len(x),))
            used = {n: np.resize(pick(s), len(s)) if n == name else s for n in COEFFICIENTS}
            c = {n: np.vectorize(functions[n])(used[n]) for n in COEFFICIENTS}
            wide = (-1,) + (1,) * (x.ndim - 1)
            f = network(c["c_in"].reshape(wide) * x, c["c_noise"])
            return c["c_skip"].reshape(wide) * x + c["c_out"].reshape(wide) * f

        return denoiser

    evidence = sp.check_preconditioning(around, shape=(3, 6, 6))
    assert evidence.verdict == "refuted", evidence.explain()
    assert "σ of others" in evidence.explain()


@pytest.mark.parametrize(
    "bend",
    [
        lambda f: lambda x, s, n: f(np.clip(x, -2, 2), s, n),
        lambda f: lambda x, s, n: np.clip(f(x, s, n), -1.2, 1.2),
        lambda f: lambda x, s, n: f(x, s, lambda y, c: np.clip(n(y, c), -1.6, 1.6)),
    ],
    ids=["x", "D", "F"],
)
def test_bends_beyond_the_usual_are_seen(bend):
    inner = wrapped(coefficients())

    def plain(x, s, network):
        return inner(network)(x, s)

    bent = bend(plain)
    evidence = sp.check_preconditioning(lambda network: lambda x, s: bent(x, s, network))
    assert evidence.verdict == "refuted", evidence.explain()


def test_every_call_of_the_network_is_looked_at():
    inner = wrapped(coefficients())

    def guided(network):
        def denoiser(x, s):
            network(x, 99 * np.asarray(s))
            return inner(network)(x, s)

        return denoiser

    assert sp.check_preconditioning(guided).verdict == "refuted"

    def twice(network):
        return lambda x, s: (inner(network)(x, s) + inner(network)(x, s)) / 2

    assert sp.check_preconditioning(twice)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_a_network_in_a_coarser_type(dtype):
    torch = pytest.importorskip("torch")
    low = getattr(torch, dtype)

    def around(network):
        def denoiser(x, sigma):
            s = torch.as_tensor(sigma, dtype=x.dtype).reshape(-1, *[1] * (x.ndim - 1))
            total = s**2 + HALF**2
            f = network((x / total.sqrt()).to(low), (s.log() / 4).flatten())
            return HALF**2 / total * x + s * HALF / total.sqrt() * f.to(x.dtype)

        return denoiser

    evidence = sp.check_preconditioning(
        around, framework="torch", sigma_data=HALF, tolerance=0.3 if dtype == "bfloat16" else 0.05
    )
    assert evidence, evidence.explain()


@pytest.mark.parametrize(
    ("given", "more", "error", "match"),
    [
        (lambda x, sigma: x, {}, CallableError, "name where its network is by inner="),
        ({"c_in": lambda s: None}, {}, CallableError, "be finite"),
        ({"c_noise": lambda s: s}, {"c_noise": "any"}, ArgumentError, "can be judged"),
        (lambda sigma: 1 / 0, {}, CallableError, "ZeroDivisionError"),
    ],
)
def test_bad_input_of_a_referee(given, more, error, match):
    with pytest.raises(error, match=match):
        sp.check_preconditioning(given, **more)


def test_c_noise_alone_says_nothing_of_sigma_data():
    alone = sp.check_preconditioning({"c_noise": lambda s: np.log(s) / 4})
    assert alone and alone.sentence.startswith("c_noise is EDM's at 12 noise levels")
    assert "σ_data" not in alone.explain()
    skip = sp.check_preconditioning({"c_skip": lambda s: 0.25 / (s**2 + 0.25)})
    assert skip and skip.sentence.startswith("c_skip is EDM's with σ_data = 0.5 at")
