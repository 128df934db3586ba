"""Losses that ask their model several times, or another network: which are regressions, and which
are not judged.
"""

from __future__ import annotations

import copy

import numpy as np
import pytest

from scoreproof import check_loss

torch = pytest.importorskip("torch")
BAR = torch.from_numpy(np.cumprod(1 - np.linspace(1e-4, 0.02, 1000)))
TABLE = {"alphas_cumprod": BAR.numpy()}
IMAGE = (2, 4, 4)
OWN = "its target is made of its model's own answer elsewhere"


def col(values):
    return values.reshape(-1, 1, 1, 1)


def noised(x0, t, noise):
    return col(BAR[t]).sqrt() * x0 + (1 - col(BAR[t])).sqrt() * noise


def detached(model, x, t):
    return model(x, t).detach()


def without_grad(model, x, t):
    with torch.no_grad():
        return model(x, t)


def of_a_frozen_copy(model, x, t):
    return copy.deepcopy(model).eval().requires_grad_(False)(x, t)


@pytest.mark.parametrize("teacher", [detached, without_grad, of_a_frozen_copy])
@pytest.mark.parametrize("root", [False, True], ids=["square", "pseudo-Huber"])
def test_consistency_training(teacher, root):
    def loss(model, x0, t, noise):
        s = t[:, None]
        r = model(x0 + s * noise, t) - teacher(model, x0 + 0.9 * s * noise, 0.9 * t)
        return ((r**2).sum(1) + 1e-3).sqrt().mean() if root else (r**2).mean()

    evidence = check_loss(loss, prediction="x0")
    assert evidence.verdict == "undecided" and OWN in evidence.sentence, evidence.explain()


def test_preconditioned_consistency_training_that_draws_its_steps():
    levels = torch.tensor(np.geomspace(0.002, 80, 18))

    def mapped(model, x, s):
        return 0.25 / (s**2 + 0.25) * x + 0.5 * s / (s**2 + 0.25).sqrt() * model(x, s.ravel())

    def loss(model, x0):
        n, noise = torch.randint(0, 17, (len(x0), 1)), torch.randn_like(x0)
        low, high = levels[n], levels[n + 1]
        target = mapped(model, x0 + low * noise, low).detach()
        return ((mapped(model, x0 + high * noise, high) - target) ** 2).mean()

    evidence = check_loss(loss, prediction="x0")
    assert evidence.verdict == "undecided" and OWN in evidence.sentence, evidence.explain()


def test_progressive_distillation_and_shortcuts():
    def distilled(model, x0, t, noise):
        z = noised(x0, t, noise)
        with torch.no_grad():
            first = model(z, t)
            target = 0.5 * (first + model(0.9 * z + 0.1 * first, t))
        return ((model(z, t) - target) ** 2).mean()

    def shortcut(model, x0):
        noise, t = torch.randn_like(x0), torch.rand(len(x0))
        s = col(t)
        z, step = (1 - s) * noise + s * x0, torch.full_like(t, 0.1)
        one = model(z, t, step).detach()
        target = 0.5 * (one + model(z + 0.1 * one, t + 0.1, step).detach())
        flow = ((model(z, t, 0 * step) - (x0 - noise)) ** 2).mean()
        return flow + ((model(z, t, 2 * step) - target) ** 2).mean()

    assert OWN in check_loss(distilled, TABLE, prediction="x0", shape=IMAGE).sentence
    pair = (lambda t: t, lambda t: 1 - t)
    assert OWN in check_loss(shortcut, pair, prediction="velocity", shape=IMAGE).sentence


def test_a_model_differentiated_forward():
    def loss(model, x0):
        t, noise = torch.rand(len(x0)), torch.randn_like(x0)
        r, s = t * torch.rand(len(x0)), t[:, None]
        z, v = (1 - s) * x0 + s * noise, noise - x0
        tangents = (v, torch.ones_like(t), torch.zeros_like(r))
        u, along = torch.func.jvp(lambda *a: model(*a), (z, t, r), tangents)
        return ((u - (v - (t - r)[:, None] * along).detach()) ** 2).mean()

    evidence = check_loss(loss, "flow", prediction="flow")
    assert evidence.verdict == "undecided"
    assert "it differentiates its model in x or t, or asks it at an x made of" in evidence.sentence


def test_a_model_differentiated_forward_in_jax():
    jax = pytest.importorskip("jax")
    import jax.numpy as jnp

    def loss(model, x0, t, noise):
        s, v = t[:, None], noise - x0
        z = (1 - s) * x0 + s * noise
        u, along = jax.jvp(lambda z, t: model(z, t), (z, t), (v, jnp.ones_like(t)))
        return ((u - jax.lax.stop_gradient(v - 0.5 * s * along)) ** 2).mean()

    evidence = check_loss(loss, "flow", prediction="flow", framework="jax")
    assert evidence.verdict == "undecided" and "(MeanFlow" in evidence.sentence


def test_targets_of_the_model_in_jax_and_numpy():
    jax = pytest.importorskip("jax")

    def loss(model, x0, t, noise, stop=lambda a: a):
        s = t[:, None]
        return ((model(x0 + s * noise, t) - stop(model(x0 + 0.9 * s * noise, 0.9 * t))) ** 2).mean()

    def stopped(model, x0, t, noise):
        return loss(model, x0, t, noise, jax.lax.stop_gradient)

    assert OWN in check_loss(stopped, prediction="x0", framework="jax").sentence
    assert OWN in check_loss(loss, prediction="x0", framework="numpy").sentence


# -- calls side by side ----------------------------------------------------------------------------


def two_calls(target=lambda x0, noise: noise, mixed=False):
    def loss(model, x0, t, noise):
        x = noised(x0, t, noise)
        with_label, without = model(x, t, torch.ones(len(x0))), model(x, t, None)
        if mixed:
            return ((without + 2 * (with_label - without) - noise) ** 2).mean()
        first = ((with_label - noise) ** 2).mean()
        return first + 0.1 * ((without - target(x0, noise)) ** 2).mean()

    return loss


def test_two_calls_at_one_x_are_judged_each():
    evidence = check_loss(two_calls(), TABLE, shape=IMAGE, weight="eps")
    assert evidence, evidence.explain()
    told = "It is trained through 2 calls of its model side by side: each was judged."
    assert told in evidence.notes
    wrong = check_loss(two_calls(lambda x0, noise: x0), TABLE, shape=IMAGE)
    assert wrong.verdict == "refuted" and "the target is x_0" in wrong.explain()
    guided = check_loss(two_calls(mixed=True), TABLE, shape=IMAGE)
    assert guided.verdict == "undecided" and "2 calls of its model at once" in guided.sentence


@pytest.mark.parametrize("framework", ["numpy", "jax"])
def test_two_calls_elsewhere(framework):
    pytest.importorskip(framework)

    def loss(model, x0, t, noise, kept=1.0, before=False):
        s = t[:, None]
        x = (1 - s) * x0 + s * noise
        told = (model(x, t),) if before else ()
        first = ((model(x, t, *told) - (noise - x0)) ** 2).mean()
        if not kept:
            return first
        return first + 0.2 * ((model(x, t, None) - (noise - kept * x0)) ** 2).mean()

    def asked(**more):
        def one(model, x0, t, noise):
            return loss(model, x0, t, noise, **more)

        return check_loss(one, "flow", prediction="flow", framework=framework)

    assert asked() and asked(kept=0, before=True)
    wrong = asked(kept=0.5)
    assert wrong.verdict == "refuted" and "0.5 x_0" in wrong.explain()


# -- other networks --------------------------------------------------------------------------------


def network(*layers):
    torch.manual_seed(3)
    return torch.nn.Sequential(*layers).double()


def test_a_teacher_is_no_regression():
    teacher = network(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 4))

    def loss(model, x0, t, noise, near=1.0):
        s = t[:, None]
        with torch.no_grad():
            target = teacher((1 - s) * x0 + near * s * noise)
        return ((model((1 - s) * x0 + s * noise, t) - target) ** 2).mean()

    evidence = check_loss(loss, "flow", prediction="flow")
    assert evidence.verdict == "undecided"
    assert "its target is a function of x_t alone" in evidence.sentence

    def elsewhere(model, x0, t, noise):
        return loss(model, x0, t, noise, 0.9)

    other = check_loss(elsewhere, "flow", prediction="flow")
    assert other.verdict == "undecided"
    assert "another network than its model runs in it, and its target is" in other.sentence


def test_an_encoder_and_a_loss_of_features():
    net = network(torch.nn.Conv2d(2, 2, 3, padding=1), torch.nn.ReLU())

    def encoded(model, x0, t, noise):
        return ((model(noised(net(x0).detach(), t, noise), t) - noise) ** 2).mean()

    def features(model, x0, t, noise):
        return ((net(model(noised(x0, t, noise), t)) - net(x0)) ** 2).mean()

    evidence = check_loss(encoded, TABLE, shape=IMAGE)
    assert evidence.verdict == "undecided"
    assert "pass the loss of what that network returns" in evidence.sentence
    evidence = check_loss(features, TABLE, shape=IMAGE, prediction="x0")
    assert evidence.verdict == "undecided" and "another network than its model" in evidence.sentence


def test_a_network_beside_the_model_hides_no_mistake():
    net = network(torch.nn.Linear(4, 4))

    def loss(model, x0, t, noise, target=lambda x0, noise: noise):
        told = net(x0.flatten(1)[:, :4])
        return ((model(noised(x0, t, noise), t, told) - target(x0, noise)) ** 2).mean()

    assert check_loss(loss, TABLE, shape=IMAGE)

    def wrong(model, x0, t, noise):
        return loss(model, x0, t, noise, lambda x0, noise: x0)

    evidence = check_loss(wrong, TABLE, shape=IMAGE)
    assert evidence.verdict == "refuted" and "the target is x_0" in evidence.explain()


def test_a_network_in_single_precision_is_named():
    from scoreproof.errors import CallableError

    net = torch.nn.Conv2d(2, 2, 1)

    def loss(model, x0, t, noise):
        return ((model(noised(net(x0).detach(), t, noise), t) - noise) ** 2).mean()

    with pytest.raises(CallableError, match="dtype='float32', or make it double"):
        check_loss(loss, TABLE, shape=IMAGE)


def test_a_schedule_that_is_learned():
    class Schedule(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.ends = torch.nn.Parameter(torch.tensor([-13.3, 5.0], dtype=torch.float64))

        def forward(self, t):
            return self.ends[0] + (self.ends[1] - self.ends[0]) * t

    def loss(model, x0):
        gamma = Schedule()((torch.rand(1) + torch.arange(len(x0)) / len(x0)) % 1)
        a, s = ((torch.sigmoid(k * gamma)[:, None]).sqrt() for k in (-1, 1))
        noise = torch.randn_like(x0)
        return ((model(a * x0 + s * noise, gamma) - noise) ** 2).sum(1).mean()

    def level(sign):
        return lambda t: 1 / np.sqrt(1 + np.exp(-sign * (-13.3 + 18.3 * t)))

    evidence = check_loss(loss, (level(-1), level(1)))
    assert evidence and "The model is told minus the log-SNR." in evidence.notes, evidence.explain()


def test_edm2_with_its_learned_uncertainty():
    def loss(net, images, labels=None):
        sigma = (torch.randn([len(images), 1, 1, 1]) - 0.4).exp()
        weight = (sigma**2 + 0.25) / (0.5 * sigma) ** 2
        noise = torch.randn_like(images) * sigma
        out, logvar = net(images + noise, sigma, labels, return_logvar=True)
        return (weight / logvar.exp()) * (out - images) ** 2 + logvar

    assert check_loss(loss, prediction="x0", weight="edm", shape=IMAGE)


# -- the terms of the bound ------------------------------------------------------------------------


def posterior():
    betas = 1 - BAR / torch.cat([torch.ones(1, dtype=torch.float64), BAR[:-1]])
    before = torch.cat([torch.ones(1, dtype=torch.float64), BAR[:-1]])
    variance = betas * (1 - before) / (1 - BAR)
    least = torch.cat([variance[1:2], variance[1:]])
    of_x0 = betas * before.sqrt() / (1 - BAR)
    of_xt = (1 - before) * (1 - betas).sqrt() / (1 - BAR)
    return betas, least, of_x0, of_xt


def means(t, x, out, x0):
    """Of x_{t-1}: the model's, an ε model, and the exact one."""
    _, _, of_x0, of_xt = posterior()
    a = col(BAR[t])
    own = (x - (1 - a).sqrt() * out) / a.sqrt()
    return [col(of_x0[t]) * y + col(of_xt[t]) * x for y in (own, x0)]


def decoder(x0, mean, deviation):
    low, high = ((x0 - mean + k / 255) / deviation for k in (-1, 1))
    return -(torch.special.ndtr(high) - torch.special.ndtr(low)).clamp(min=1e-12).log()


def hybrid(detach=True, decodes=True):
    def loss(model, x0, t, noise):
        betas, least, *_ = posterior()
        x = noised(x0, t, noise)
        out, part = model(x, t).chunk(2, 1)
        part = (part + 1) / 2
        log = part * col(betas[t].log()) + (1 - part) * col(least[t].log())
        mean, due = means(t, x, out.detach() if detach else out, x0)
        kl = 0.5 * (log - col(least[t].log()) - 1 + (col(least[t]) + (mean - due) ** 2) / log.exp())
        if decodes:
            kl = torch.where(col(t) == 0, decoder(x0, mean, (0.5 * log).exp()), kl)
        return ((out - noise) ** 2).mean((1, 2, 3)) + kl.mean((1, 2, 3))

    return loss


def test_a_hybrid_loss_with_a_detached_mean():
    more = {"shape": IMAGE, "learned_variance": True}
    assert check_loss(hybrid(), TABLE, weight="eps", **more)
    wrong = check_loss(hybrid(False), TABLE, weight="eps", **more)
    assert wrong.verdict == "refuted" and "the mean is not detached in L_vlb" in wrong.explain()
    assert "depends on what it answers for its variance" in wrong.sentence
    plain = check_loss(hybrid(False, False), TABLE, weight="eps", **more)
    assert plain.verdict == "refuted" and "out_mean.detach()" in plain.explain()
    left = check_loss(hybrid(False), TABLE, **more)
    assert left.verdict == "undecided" and "check_variational_bound" in left.sentence


@pytest.mark.parametrize("prediction", ["eps", "x0", "v"])
@pytest.mark.parametrize("off", [0.0, 1e-9])
def test_means_of_one_step_back_have_the_rounding_that_they_have(prediction, off):
    _, least, of_x0, of_xt = posterior()

    def loss(model, x0, t, noise):
        a, x = col(BAR[t]), noised(x0, t, noise)
        out = model(x, t)
        own = {
            "eps": (x - (1 - a).sqrt() * out) / a.sqrt(),
            "x0": out,
            "v": a.sqrt() * x - (1 - a).sqrt() * out,
        }[prediction]
        mean, due = (col(of_x0[t]) * y + col(of_xt[t]) * x for y in (own, x0))
        return ((mean - due * (1 + off)) ** 2 / col(least[t])).mean((1, 2, 3))

    evidence = check_loss(loss, TABLE, prediction=prediction, shape=IMAGE)
    assert evidence.verdict == ("refuted" if off else "holds"), evidence.explain()


def test_a_bound_of_fixed_variance_has_a_decoder():
    _, least, *_ = posterior()

    def loss(model, x0, t, noise):
        x = noised(x0, t, noise)
        mean, due = means(t, x, model(x, t), x0)
        kl = (mean - due) ** 2 / (2 * col(least[t]))
        return torch.where(col(t) == 0, decoder(x0, mean, col(least[t]).sqrt()), kl).mean()

    evidence = check_loss(loss, TABLE, shape=IMAGE)
    assert evidence.verdict == "undecided"
    assert "at t = 0, and there alone, it is no square" in evidence.sentence


# -- a noise that is ignored -----------------------------------------------------------------------


def test_a_noise_that_the_loss_does_not_take():
    def loss(model, x0, noise=None, power=2):
        t, e = torch.randint(0, 1000, (len(x0),)), torch.randn_like(x0)
        return (model(noised(x0, t, e), t) - e).abs().pow(power).mean()

    evidence = check_loss(lambda model, x0, noise=None: loss(model, x0), TABLE, shape=IMAGE)
    assert evidence, evidence.explain()
    assert "It draws its own noise, whatever noise it is given." in evidence.notes

    def wrong(model, x0, noise=None):
        return loss(model, x0, power=1)

    evidence = check_loss(wrong, TABLE, shape=IMAGE)
    assert evidence.verdict == "refuted" and "absolute error (L1)" in evidence.explain()


# -- what one prediction is made into before it is compared ----------------------------------------


CONVERTED = {
    "v as ε": ("v", "eps", lambda o, x, a, s, x0, e: (a * o + s * x, e)),
    "v as x_0": ("v", "x0", lambda o, x, a, s, x0, e: (a * x - s * o, x0)),
    "ε as x_0": ("eps", "x0", lambda o, x, a, s, x0, e: ((x - s * o) / a, x0)),
    "x_0 as ε": ("x0", "eps", lambda o, x, a, s, x0, e: ((x - a * o) / s, e)),
    "x_0 as v": ("x0", "v", lambda o, x, a, s, x0, e: ((a * x - o) / s, a * e - s * x0)),
    "ε as v": ("eps", "v", lambda o, x, a, s, x0, e: ((o - s * x) / a, a * e - s * x0)),
}


@pytest.mark.parametrize("name", CONVERTED)
@pytest.mark.parametrize("seed", [3, 6])
@pytest.mark.parametrize("off", [0.0, 1e-9])
@pytest.mark.parametrize("dtype", [None, "float32"])
def test_a_prediction_compared_as_another_has_the_weight_of_that(name, seed, off, dtype):
    prediction, weight, made = CONVERTED[name]

    def loss(model, x0, t, noise):
        a, s = col(BAR[t]).sqrt(), (1 - col(BAR[t])).sqrt()
        x = a * x0 + s * noise
        out, target = made(model(x, t), x, a, s, x0, noise)
        return ((1 + off * col(t)) * (out - target) ** 2).mean()

    more = {"prediction": prediction, "weight": weight, "seed": seed, "shape": (3, 4, 4)}
    more["dtype"], off = dtype, off if dtype is None else 1e5 * off
    evidence = check_loss(loss, TABLE, **more)
    assert evidence.verdict == ("refuted" if off else "holds"), evidence.explain()


def test_a_time_that_is_an_angle():
    def loss(model, x0):
        t = torch.atan((1.4 * torch.randn(len(x0)) - 1).exp())
        c, s, noise = t.cos()[:, None], t.sin()[:, None], torch.randn_like(x0)
        return ((model(c * x0 + s * noise, t) - (c * noise - s * x0)) ** 2).mean()

    evidence = check_loss(loss, (np.cos, np.sin), prediction="v")
    assert evidence, evidence.explain()
    assert not any("The model is told" in n for n in evidence.notes)


def test_inpainting_is_left_open():
    kept = torch.zeros(IMAGE, dtype=torch.float64)
    kept[..., :2] = 1

    def loss(model, x0, t, noise):
        x = kept * x0 + (1 - kept) * noised(x0, t, noise)
        return ((1 - kept) * (model(x, t) - noise) ** 2).mean()

    evidence = check_loss(loss, TABLE, shape=IMAGE)
    assert evidence.verdict == "undecided"
    assert "16 of the 32 entries of x_t are the data as they are, in every" in evidence.sentence
    assert "pass the loss with no entry kept" in evidence.sentence
