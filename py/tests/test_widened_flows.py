"""Copies in double precision, of whatever holds a model; and flows whose functions hold them."""

import functools

import pytest

import scoreproof as sp
from scoreproof.interop.copies import copied
from scoreproof.interop.widened import following, widened, widened_together

torch = pytest.importorskip("torch")
nn = torch.nn
check = sp.check_normalizing_flow


class Coupling(nn.Module):
    def __init__(self, sign=1.0):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 4))
        self.sign = sign

    def forward(self, x):
        a, b = x.chunk(2, 1)
        s, t = self.net(a).chunk(2, 1)
        s = torch.tanh(s)
        return torch.cat([a, b * s.exp() + t], 1), self.sign * s.sum(1)

    def inverse(self, z):
        a, b = z.chunk(2, 1)
        s, t = self.net(a).chunk(2, 1)
        return torch.cat([a, (b - t) * (-torch.tanh(s)).exp()], 1)


class Keeps(Coupling):
    """An activation stays as an attribute, which torch does not copy."""

    def forward(self, x):
        self.h = self.net[:1](x[:, :2])
        self.all = [self.h, {"h": self.h}]
        return super().forward(x)


class Doubles(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.Linear(2, 2)
        self.w = self.l.weight * 2

    def forward(self, x):
        return self.l(x) + x @ self.w


def normed():
    net = nn.Sequential(nn.utils.weight_norm(nn.Linear(2, 3)), nn.Tanh())
    net(torch.zeros(1, 2))
    return net


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("make", [normed, Doubles], ids=["weight_norm", "computed"])
def test_modules_that_hold_what_was_computed_are_widened(make):
    net, x = make(), torch.ones(2, 2, dtype=torch.float64)
    wide = widened(net)
    assert wide is not None and wide(x).dtype == torch.float64
    assert torch.allclose(wide(x).float(), net(x.float()), atol=1e-6)


def test_a_module_that_keeps_an_activation_goes_in():
    keeps = Keeps()
    keeps(torch.zeros(1, 4))
    evidence = check(keeps, shape=4)
    assert evidence and evidence.resolution < 1e-6, evidence.explain()
    assert keeps.h.shape[0] == 1 and keeps.h.dtype == torch.float32


def test_what_no_one_can_copy_stays_as_it_is():
    class Stubborn(Coupling):
        def __deepcopy__(self, memo):
            raise RuntimeError("one only")

    stubborn = Stubborn()
    assert copied(stubborn) == (stubborn, {}) and widened(stubborn) is None
    evidence = check(stubborn, shape=4)
    assert evidence.verdict == "holds", evidence.explain()
    assert check(Stubborn(-1.0), shape=4).verdict == "refuted"


class Functor:
    def __init__(self, net):
        self.held = {"net": net}

    def __call__(self, x):
        return self.held["net"](x)


@pytest.mark.parametrize("shape", [None, 4])
@pytest.mark.parametrize(
    "around",
    [
        lambda net: lambda x: net(x),
        lambda net: functools.partial(lambda inner, x: inner(x), net),
        Functor,
        lambda net: [lambda x: net(x)][0].__call__,
    ],
    ids=["lambda", "partial", "functor", "call"],
)
def test_functions_of_nested_modules_are_judged_in_double_precision(around, shape):
    evidence = check(around(Coupling()), shape=shape, framework="torch")
    assert evidence, evidence.explain()
    assert evidence.resolution < 1e-5
    wrong = check(around(Coupling(-1.0)), shape=shape, framework="torch")
    assert wrong.diagnosis.names == ("sign",)


def test_functions_that_hold_one_module_hold_one_copy_of_it():
    net = nn.Linear(1, 1)
    one, other, plain = widened_together(lambda: net, Functor(net), None)
    assert one() is other.held["net"] and one() is not net and plain is None
    made, stands = copied(nn.Sequential(net))
    assert following(lambda: net.weight, stands)() is made[0].weight
    same = lambda: 3  # noqa: E731
    assert following(same, stands) is same


def log_prob_of(flow, wrong=0.0):
    def log_prob(x):
        z, log_det = flow(x)
        normal = torch.distributions.Normal(0.0, 1.0)
        return normal.log_prob(z).sum(1) + (1 + wrong) * log_det

    return log_prob


@pytest.mark.parametrize("how", ["closure", "functor"])
def test_functions_that_close_over_the_flow_follow_its_copies(how):
    flow = Coupling()
    with torch.no_grad():
        flow.net[2].weight.zero_()
        flow.net[2].bias.zero_()
    wrap = (lambda f: f) if how == "closure" else Functor
    inverse = wrap(lambda z: flow.inverse(z))
    evidence = check(flow, inverse=inverse, log_prob=wrap(log_prob_of(flow)), shape=4)
    assert evidence, evidence.explain()
    assert evidence.resolution < 1e-5 and "moved parameters" in evidence.coverage.span
    wrong = check(flow, log_prob=wrap(log_prob_of(flow, 0.01)), shape=4)
    assert wrong.verdict == "refuted" and not any("follow" in n for n in wrong.notes)


def test_a_function_that_does_not_hold_the_flow_is_told_so():
    flow, other = Coupling(), Coupling()
    evidence = check(flow, log_prob=log_prob_of(other), shape=4)
    assert evidence.verdict == "refuted"
    assert any("log_prob= does not hold the flow" in note for note in evidence.notes)


class Dist(Coupling):
    def __init__(self, law):
        super().__init__()
        self.law = law

    def log_prob(self, x):
        z, log_det = self(x)
        return self.law(z, log_det)


def normal(z):
    return torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1)


@pytest.mark.parametrize(
    ("law", "verdict"),
    [
        (lambda z, log_det: normal(z) + log_det, "holds"),
        (lambda z, log_det: normal(z.detach()) + log_det, "refuted"),
        (lambda z, log_det: normal(z) + log_det.detach(), "refuted"),
        (lambda z, log_det: (normal(z) + log_det).detach(), "holds"),
    ],
    ids=["right", "z", "log_det", "all"],
)
def test_gradients_of_log_prob(law, verdict):
    evidence = check(Dist(law), shape=4)
    assert evidence.verdict == verdict, evidence.explain()
    assert (verdict == "holds") or "gradient of Dist's log_prob" in evidence.sentence
    noted = any("without gradients" in note for note in evidence.notes)
    one = torch.ones(1, 1, requires_grad=True)
    assert noted != law(one, one.sum(1)).requires_grad


def test_a_z_that_no_gradient_leads_to_is_told():
    class Cut(Coupling):
        def forward(self, x):
            z, log_det = super().forward(x)
            return z.detach(), log_det

    evidence = check(Cut(), shape=4)
    assert any("No gradient of z reaches x" in note for note in evidence.notes)


class Two(nn.Module):
    """The log_det of the coupling is forgotten; all of the flow passes through a linear layer."""

    def __init__(self, start):
        super().__init__()
        torch.manual_seed(1)
        self.act, self.coupling = nn.Linear(4, 4), Coupling()
        if start:
            nn.init.zeros_(self.coupling.net[2].weight)
            nn.init.constant_(self.coupling.net[2].bias, 0.1)

    def forward(self, x):
        z, _ = self.coupling(self.act(x))
        return z, torch.linalg.slogdet(self.act.weight)[1].expand(len(x))


@pytest.mark.parametrize("start", [False, True], ids=["trained", "start"])
def test_a_forgotten_log_det_is_no_mask_and_no_constant(start):
    evidence = check(Two(start), shape=4)
    assert evidence.verdict == "refuted"
    names = () if evidence.diagnosis is None else evidence.diagnosis.names
    assert not {"reads_what_it_moves", "constant", "missing"} & set(names), evidence.explain()


def test_a_density_that_keeps_an_activation_is_judged():
    class Kept(nn.Module):
        def __init__(self):
            super().__init__()
            self.rate = nn.Parameter(torch.zeros(1))
            self.h = self.rate * 2

        def forward(self, x, t):
            self.h = 1 + torch.exp(-2 * t) + self.rate
            h = self.h
            return -0.5 * x**2 / h - 0.5 * torch.log(2 * torch.pi * h)

    judged = sp.check_fokker_planck(lambda x, t: -x, lambda t: 2**0.5, log_density=Kept())
    assert judged, judged.explain()
