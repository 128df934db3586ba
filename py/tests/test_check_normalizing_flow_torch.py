"""`check_normalizing_flow` on right PyTorch and JAX flows, as public code writes them."""

import numpy as np
import pytest

import scoreproof as sp

torch = pytest.importorskip("torch")
D = torch.distributions
check = sp.check_normalizing_flow


class RealNVP(torch.nn.Module):
    def __init__(self, start=None):
        super().__init__()
        nn = torch.nn
        torch.manual_seed(0)
        self.prior = D.MultivariateNormal(torch.zeros(2), 0.3 * torch.eye(2))
        self.mask = nn.Parameter(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), requires_grad=False)
        self.s = nn.ModuleList(
            nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(), nn.Linear(8, 2), nn.Tanh())
            for _ in range(2)
        )
        self.t = nn.ModuleList(
            nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(), nn.Linear(8, 2)) for _ in range(2)
        )
        for net in (*self.s, *self.t) if start == "identity" else ():
            nn.init.zeros_(net[2].weight)
            nn.init.zeros_(net[2].bias)

    def parts(self, i, x):
        held, free = self.mask[i] * x, 1 - self.mask[i]
        return held, free, self.s[i](held) * free, self.t[i](held) * free

    def g(self, z):
        for i in range(2):
            held, free, s, t = self.parts(i, z)
            z = held + free * (z * torch.exp(s) + t)
        return z

    def f(self, x):
        log_det = x.new_zeros(x.shape[0])
        for i in reversed(range(2)):
            held, free, s, t = self.parts(i, x)
            x = held + free * (x - t) * torch.exp(-s)
            log_det = log_det - s.sum(dim=1)
        return x, log_det

    def log_prob(self, x):
        z, log_det = self.f(x)
        return self.prior.log_prob(z) + log_det


def test_real_nvp_as_it_is():
    flow = RealNVP()
    before = [p.detach().clone() for p in flow.parameters()]
    evidence = check(flow)
    assert evidence, evidence.explain()
    assert "log p" in evidence.sentence and "moved parameters" in evidence.coverage.span
    assert evidence.resolution < 1e-4
    same = (torch.equal(a, b) for a, b in zip(before, flow.parameters(), strict=True))
    assert all(same) and flow.s[0][0].weight.dtype == torch.float32 and flow.training


def test_methods_handed_over_are_those_of_the_copy():
    flow = RealNVP("identity")
    assert check(flow.f, inverse=flow.g, log_prob=flow.log_prob, base=flow.prior, shape=2)


def test_an_identity_at_the_start_is_moved():
    assert check(RealNVP("identity"))
    left = check(RealNVP("identity"), moved=False)
    assert left.verdict == "undecided" and "is the identity" in left.sentence


def test_float32_where_it_is_asked_for():
    evidence = check(RealNVP(), dtype="float32")
    assert evidence.verdict != "refuted", evidence.explain()
    assert check(RealNVP(), dtype="float32", tolerance=0.05)


class Conv1x1(torch.nn.Module):
    def __init__(self):
        super().__init__()
        start = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
        self.weight = torch.nn.Parameter(torch.tensor(start, dtype=torch.float32))

    def forward(self, x, logdet=None, reverse=False):
        dlogdet = torch.slogdet(self.weight)[1] * x.size(2) * x.size(3)
        weight = torch.inverse(self.weight) if reverse else self.weight
        z = torch.nn.functional.conv2d(x, weight[:, :, None, None])
        return z, logdet + (-dlogdet if reverse else dlogdet)


def test_a_convolution_of_images():
    assert check(Conv1x1(), shape=(3, 2, 2))


class Squeeze(torch.nn.Module):
    """Another shape of z, and two scales."""

    def forward(self, x):
        n, c, h, w = x.shape
        z = (
            x.view(n, c, h // 2, 2, w // 2, 2)
            .permute(0, 1, 3, 5, 2, 4)
            .reshape(n, 4 * c, h // 2, w // 2)
        )
        a, b = z.chunk(2, 1)
        return [2 * a, b * 3], (np.log(2) + np.log(3)) * 2 * c * h * w / 4 + 0 * x.sum((1, 2, 3))

    def inverse(self, z):
        z = torch.cat([z[0] / 2, z[1] / 3], 1)
        n, c, h, w = z.shape
        return (
            z.view(n, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3).reshape(n, c // 4, 2 * h, 2 * w)
        )


def test_scales_and_shapes_of_z():
    evidence = check(Squeeze(), shape=(2, 4, 2))
    assert evidence, evidence.explain()
    assert "the inverse leads back" in evidence.sentence


def test_running_statistics_and_those_of_the_batch():
    class Norm(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = torch.nn.BatchNorm1d(3, affine=False)

        def forward(self, x):
            z = self.norm(x)
            var = x.var(0, unbiased=False) if self.training else self.norm.running_var
            return z, -0.5 * torch.log(var + self.norm.eps).sum().expand(len(x))

    norm = Norm()
    for _ in range(5):
        norm(3 * torch.randn(64, 3) + 1)
    assert check(norm.eval(), shape=3)
    assert check(norm.train(), shape=3).diagnosis.names == ("batch_statistics",)


@pytest.mark.parametrize(
    "make",
    [
        lambda: D.TanhTransform(),
        lambda: D.ExpTransform(),
        lambda: D.SigmoidTransform().inv,
        lambda: D.PowerTransform(torch.tensor(2.0)),
        lambda: D.AffineTransform(torch.tensor([1.0, 2.0]), torch.tensor([0.3, -2.0]), event_dim=1),
        lambda: D.ComposeTransform([D.AffineTransform(0.5, 2.0), D.SigmoidTransform()]),
    ],
    ids=["tanh", "exp", "logit", "power", "affine", "composed"],
)
def test_transforms_of_torch(make):
    evidence = check(make(), shape=2)
    assert evidence, evidence.explain()


def test_a_transformed_distribution():
    base = D.Independent(D.Normal(torch.zeros(3), torch.ones(3)), 1)
    affine = D.AffineTransform(torch.ones(3), torch.tensor([2.0, 3.0, 0.5]), event_dim=1)
    evidence = check(D.TransformedDistribution(base, [affine, D.TanhTransform()]))
    assert evidence, evidence.explain()
    assert "log p" in evidence.sentence


def test_an_inverse_that_is_not_written():
    class Planar(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(torch.tensor([0.7, 1.1, 0.4]))
            self.u = torch.nn.Parameter(torch.tensor([0.4, -0.3, 0.5]))

        def forward(self, z):
            h = torch.tanh(z @ self.w)
            return z + h[:, None] * self.u, torch.log(torch.abs(1 + (1 - h**2) * (self.u @ self.w)))

        def inverse(self, z):
            raise NotImplementedError("no algebraic inverse")

    evidence = check(Planar())
    assert evidence and any("no algebraic inverse" in note for note in evidence.notes)


@pytest.mark.parametrize("number", [False, True])
def test_a_detached_parameter_is_named(number):
    class Scale(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.log_scale = torch.nn.Parameter(torch.tensor([0.3, -0.4]))

        def forward(self, x):
            log_det = self.log_scale.sum()
            return x * self.log_scale.exp(), log_det.item() if number else log_det.detach()

    evidence = check(Scale(), shape=2)
    assert evidence.diagnosis.names == ("detached",) and "log_scale" in evidence.explain()


def test_a_jax_function():
    jnp = pytest.importorskip("jax.numpy")

    def layer(x):
        s = jnp.tanh(x[:, :2])
        return jnp.concatenate([x[:, :2], x[:, 2:] * jnp.exp(s) + x[:, :2] ** 2], 1), s.sum(1)

    def inverse(z):
        s = jnp.tanh(z[:, :2])
        return jnp.concatenate([z[:, :2], (z[:, 2:] - z[:, :2] ** 2) * jnp.exp(-s)], 1), -s.sum(1)

    evidence = check(layer, inverse=inverse, shape=4)  # recognised by the names that it uses
    assert evidence, evidence.explain()
    assert evidence.resolution > 1e-7
    wrong = check(lambda x: (layer(x)[0], -layer(x)[1]), shape=4, framework="jax")
    assert wrong.diagnosis.names == ("sign",)


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.95])
@pytest.mark.parametrize("d", [1, 3])
def test_a_part_without_gradient_is_seen_in_single_precision_of_jax(kept, d):
    jax = pytest.importorskip("jax")
    jnp = jax.numpy

    def layer(x, kept=kept):
        det = jnp.log(jnp.cosh(x)).sum(-1)
        return jnp.sinh(x), kept * det + (1 - kept) * jax.lax.stop_gradient(det)

    assert check(lambda x: layer(x, 1.0), shape=d, framework="jax")
    for flow in (layer, jax.jit(layer)):
        evidence = check(flow, shape=d, framework="jax")
        assert evidence.verdict == "refuted", evidence.explain()
        assert "gradient" in evidence.sentence
        if kept == 0:
            assert evidence.diagnosis.names == ("detached",)
            assert "reaches x: it is detached" in evidence.diagnosis.sentence


def test_a_gradient_that_single_precision_does_not_resolve_is_said_so():
    jax = pytest.importorskip("jax")
    jnp = jax.numpy

    def layer(x):  # its log_det is large and hardly changes
        return 1e4 * x + 3e-2 * jnp.sin(x), (jnp.log(1e4 + 3e-2 * jnp.cos(x))).sum(-1)

    evidence = check(layer, shape=3, framework="jax")
    assert "The gradient of log_det was not judged" in evidence.explain(), evidence.explain()
    steady = check(lambda x: (2 * x, jnp.full(len(x), 3 * jnp.log(2.0))), shape=3, framework="jax")
    assert steady and "was not judged" not in steady.explain()


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (lambda s, n: s.mean().expand(n), "mean for sum"),
        (lambda s, n: s.exp().sum().expand(n), "no logarithm"),
    ],
    ids=["mean", "exp"],
)
def test_a_term_of_parameters_alone_is_no_number_to_be_added(wrong, what):
    torch = pytest.importorskip("torch")

    class Layered(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.log_scale = torch.nn.Parameter(torch.tensor([0.5, -0.9, 0.2, 0.75]))
            self.net = torch.nn.Sequential(
                torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 4)
            )

        def forward(self, x):
            y = x * self.log_scale.exp()
            shift, scale = self.net(y[:, :2]).chunk(2, 1)
            z = torch.cat([y[:, :2], y[:, 2:] * scale.exp() + shift], 1)
            return z, wrong(self.log_scale, len(x)) + scale.sum(1)

    evidence = check(Layered(), shape=4)
    assert evidence.verdict == "refuted", evidence.explain()
    assert evidence.diagnosis.names == ("parameters_alone",), evidence.explain()
    assert "a term that is made of parameters alone is wrong" in evidence.diagnosis.sentence
