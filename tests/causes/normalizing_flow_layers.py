"""Wrong flows of several layers in PyTorch: how their log_dets are added, and a Glow's matrix."""

from __future__ import annotations

from typing import Any

from causes import wrong
from scoreproof import check_normalizing_flow


def couplings(how: Any, d: int = 6, mean: bool = False) -> Any:
    """A RealNVP of five couplings, whose log_dets are put together by ``how``."""
    import torch

    class Coupling(torch.nn.Module):
        def __init__(self, flip: bool) -> None:
            super().__init__()
            self.flip = flip
            self.net = torch.nn.Sequential(
                torch.nn.Linear(d // 2, 8), torch.nn.Tanh(), torch.nn.Linear(8, d)
            )

        def forward(self, x: Any) -> Any:
            a, b = (x.flip(1) if self.flip else x).chunk(2, 1)
            s, t = self.net(a).chunk(2, 1)
            s = torch.tanh(s)
            z = torch.cat([a, b * s.exp() + t], 1)
            return (z.flip(1) if self.flip else z), (s.mean(1) if mean else s.sum(1))

    class Flow(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = torch.nn.ModuleList(Coupling(k % 2 == 1) for k in range(5))

        def forward(self, x: Any) -> Any:
            found = []
            for layer in self.layers:
                x, log_det = layer(x)
                found.append(log_det)
            return x, how(found)

    torch.manual_seed(0)
    return check_normalizing_flow(Flow(), shape=d)


@wrong("RealNVP: x, ld = layer(x) in the loop", says=r"that of the last layer alone", needs="torch")
def overwritten():
    return couplings(lambda found: found[-1])


@wrong("the last layer's log_det not added", says=r"of the last layer is not added", needs="torch")
def last_left_out():
    return couplings(lambda found: sum(found[:-1]))


@wrong("torch.stack(log_dets).mean(0)", says=r"averaged over the layers", needs="torch")
def mean_of_layers():
    return couplings(lambda found: sum(found) / len(found))


@wrong("exp of one layer's log_det", says=r"of one layer is exponentiated.*layers\.1",
       needs="torch")  # fmt: skip
def exponentiated():
    return couplings(lambda found: sum(found) - found[1] + found[1].exp())


@wrong("s.mean(1) in each coupling", says=r"averaged over the half that it scales", needs="torch")
def mean_in_each():
    return couplings(sum, mean=True)


@wrong("Glow's 1x1: torch.det for slogdet", says=r"det of w itself stands in log_det",
       needs="torch")  # fmt: skip
def determinant_itself():
    import torch

    class Mixed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = torch.nn.Parameter(torch.linalg.qr(torch.randn(4, 4))[0])

        def forward(self, x: Any) -> Any:
            z = torch.einsum("ij,njhw->nihw", self.w, x)
            return z, (torch.det(self.w) * x[0, 0].numel()).expand(len(x))

    torch.manual_seed(0)
    return check_normalizing_flow(Mixed(), shape=(4, 3, 3))


@wrong(
    "BatchNorm: +½ log of the variance",
    says=r"½ Σ log \|running_var\| stands in log_det with the wrong sign",
    needs="torch",
)
def sign_of_the_variance():
    import torch

    class Norm(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.log_gamma = torch.nn.Parameter(torch.zeros(3))
            self.register_buffer("running_mean", torch.zeros(3))
            self.register_buffer("running_var", torch.ones(3))

        def forward(self, x: Any) -> Any:
            z = (x - self.running_mean) / self.running_var.sqrt() * self.log_gamma.exp()
            return z, (self.log_gamma + 0.5 * self.running_var.log()).sum().expand(len(x))

    return check_normalizing_flow(Norm().eval(), shape=3)
