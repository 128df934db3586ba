"""`check_normalizing_flow`: flows of several layers, and layers that are frozen at the identity."""

from __future__ import annotations

import pytest

import scoreproof as sp

torch = pytest.importorskip("torch")
check = sp.check_normalizing_flow


class Norm(torch.nn.Module):
    """BatchNorm as a layer, in evaluation."""

    def __init__(self, d=4, fault=""):
        super().__init__()
        self.log_gamma = torch.nn.Parameter(torch.zeros(d))
        self.beta = torch.nn.Parameter(torch.zeros(d))
        self.fault = fault
        self.register_buffer("running_mean", torch.zeros(d))
        self.register_buffer("running_var", torch.ones(d))

    def forward(self, x):
        var = self.running_var
        z = (x - self.running_mean) / var.sqrt() * self.log_gamma.exp() + self.beta
        part = {"": -0.5, "sign": 0.5, "missing": 0.0, "whole": -1.0}[self.fault]
        return z, (self.log_gamma + part * torch.log(var)).sum().expand(len(x))

    def inverse(self, z):
        wide = self.running_var.sqrt()
        return (z - self.beta) * (-self.log_gamma).exp() * wide + self.running_mean


class Frozen(torch.nn.Module):
    """ActNorm with buffers; ``twin``: one of them follows from the other."""

    def __init__(self, fault=False, twin=False):
        super().__init__()
        self.log_gamma = torch.nn.Parameter(torch.full((3,), 0.3))
        self.fault, self.twin = fault, twin
        self.register_buffer("scale", torch.ones(3))
        self.register_buffer("inv_scale", torch.ones(3))

    def forward(self, x):
        own = 0.0 if self.fault else torch.log(self.scale)
        z = x * self.scale * self.log_gamma.exp()
        return z, (self.log_gamma + own).sum().expand(len(x))

    def inverse(self, z):
        back = self.inv_scale if self.twin else 1 / self.scale
        return z * back * (-self.log_gamma).exp()


class Coupling(torch.nn.Module):
    def __init__(self, flip=False, d=4, mean=False):
        super().__init__()
        self.flip, self.mean = flip, mean
        self.register_buffer("mask", torch.ones(d // 2))
        self.net = torch.nn.Sequential(
            torch.nn.Linear(d // 2, 8), torch.nn.Tanh(), torch.nn.Linear(8, d)
        )

    def parts(self, a):
        s, t = self.net(a * self.mask).chunk(2, 1)
        return torch.tanh(s), t

    def forward(self, x):
        a, b = (x.flip(1) if self.flip else x).chunk(2, 1)
        s, t = self.parts(a)
        z = torch.cat([a, b * s.exp() + t], 1)
        return (z.flip(1) if self.flip else z), (s.mean(1) if self.mean else s.sum(1))

    def inverse(self, z):
        a, b = (z.flip(1) if self.flip else z).chunk(2, 1)
        s, t = self.parts(a)
        x = torch.cat([a, (b - t) * (-s).exp()], 1)
        return x.flip(1) if self.flip else x


class Chain(torch.nn.Module):
    def __init__(self, layers, how=sum):
        super().__init__()
        self.layers, self.how = torch.nn.ModuleList(layers), how

    def forward(self, x):
        found = []
        for layer in self.layers:
            x, log_det = layer(x)
            found.append(log_det)
        return x, self.how(found)

    def inverse(self, z):
        for layer in reversed(self.layers):
            z = layer.inverse(z)
        return z


def couplings(how=sum, d=6, n=3, mean=False):
    torch.manual_seed(0)
    return check(Chain([Coupling(k % 2 == 1, d, mean) for k in range(n)], how), shape=d)


@pytest.mark.parametrize("fault", ["sign", "missing", "whole"])
@pytest.mark.parametrize("alone", [True, False], ids=["alone", "in_a_flow"])
def test_a_norm_with_the_statistics_of_a_start_is_refuted(fault, alone):
    torch.manual_seed(0)
    norm = Norm(4, fault).eval()
    flow = norm if alone else Chain([Coupling(), norm, Coupling(True)]).eval()
    evidence = check(flow, shape=4)
    assert evidence.verdict == "refuted"
    assert "moved from 0 or 1, where what it adds to log_det is 0" in evidence.sentence
    assert "running_var" in evidence.diagnosis.sentence
    turned = "running_var| stands in log_det with the wrong sign" in evidence.diagnosis.sentence
    assert turned == (fault == "sign"), evidence.explain()
    assert torch.equal(norm.running_var, torch.ones(4))


def test_a_right_norm_holds_with_its_statistics_moved():
    torch.manual_seed(0)
    evidence = check(Chain([Coupling(), Norm(), Coupling(True)]).eval(), shape=4)
    assert evidence, evidence.explain()
    assert any(n.startswith("It holds with layers.1.running_mean") for n in evidence.notes)


def test_masks_stay():
    assert not any("mask" in n for n in couplings().notes)


def test_a_frozen_scale_without_its_log_det_is_left_open():
    assert check(Frozen(), shape=3)
    wrong = check(Frozen(fault=True), shape=3)
    assert wrong.verdict == "undecided"
    assert "pass the flow with those of a checkpoint" in wrong.sentence


def test_buffers_that_follow_from_each_other_are_not_refuted():
    assert check(Frozen(twin=True), shape=3).verdict == "undecided"


SUMS = {
    "last_layer_only": lambda found: found[-1],
    "first_layer_only": lambda found: found[0],
    "mean_over_layers": lambda found: sum(found) / len(found),
    "last_layer_left_out": lambda found: sum(found[:-1]),
    "first_layer_left_out": lambda found: sum(found[1:]),
    "exp_of_a_layer layers.1": lambda found: sum(found) - found[1] + found[1].exp(),
}


@pytest.mark.parametrize("name", SUMS)
def test_another_sum_over_the_layers_is_named(name):
    assert couplings(SUMS[name], n=5).diagnosis.names == (name,)


def test_layers_that_are_right_by_themselves_are_said_to_be():
    evidence = couplings(lambda found: found[0] - 0.3 * found[1] + found[2] ** 2)
    assert not evidence.diagnosis.names
    assert "layers.0 to layers.2, add up to what is due" in evidence.diagnosis.sentence


def test_all_layers_added_holds():
    assert couplings()


def test_the_mean_over_the_half_that_is_scaled_is_named():
    assert couplings(mean=True).diagnosis.names == ("mean_over_half",)
    assert "mean_over_half" in couplings(mean=True, d=4).diagnosis.names
    assert "half" in couplings(mean=True, d=4).diagnosis.names


class Mixed(torch.nn.Module):
    """Glow's map of the channels, orthogonal at its start."""

    def __init__(self, log_det):
        super().__init__()
        self.w = torch.nn.Parameter(torch.linalg.qr(torch.randn(4, 4))[0])
        self.log_det = log_det

    def forward(self, x):
        z = torch.einsum("ij,njhw->nihw", self.w, x)
        return z, (self.log_det(self.w) * x[0, 0].numel()).expand(len(x))


@pytest.mark.parametrize("log_det", [torch.det, lambda w: torch.det(w).abs()], ids=["det", "abs"])
def test_a_determinant_for_its_logarithm_is_named(log_det):
    torch.manual_seed(0)
    evidence = check(Mixed(log_det), shape=(4, 3, 3))
    assert evidence.diagnosis.names == ("not_logged_determinant",)
    assert "slogdet" in evidence.diagnosis.sentence
    assert check(Mixed(lambda w: torch.linalg.slogdet(w)[1]), shape=(4, 3, 3))


class Detached(torch.nn.Module):
    """A scale whose z is detached, as log_det is not."""

    def __init__(self):
        super().__init__()
        self.s = torch.nn.Parameter(torch.tensor([0.3, -0.2, 0.5]))

    def forward(self, x):
        z = torch.cat([x[:, :1] * self.s[0].exp(), (x[:, 1:] * self.s[1:].exp()).detach()], 1)
        return z, self.s.sum().expand(len(x))


def test_a_detached_z_says_what_is_not_seen_of_it():
    notes = " ".join(check(Detached(), shape=3).notes)
    assert "a part of z is detached" in notes
    assert "Pass log_prob= to have its gradients judged" in notes


class Guarded(Frozen):
    """Refuses any scale but that of its start."""

    def forward(self, x):
        if not torch.all(self.scale == 1):
            raise ValueError("the scale is not 1")
        return super().forward(x)


def test_what_does_not_take_moved_buffers_says_so():
    evidence = check(Guarded(), shape=3)
    assert evidence, evidence.explain()
    note = next(n for n in evidence.notes if "it is left open" in n)
    assert "the scale is not 1" in note
