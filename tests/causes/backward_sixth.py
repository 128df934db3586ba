"""Wrong rules of one node: normalisations, softmax, SiLU, hand-written biases."""

from __future__ import annotations

from typing import Any

import numpy as np

from causes import wrong
from scoreproof import Evidence, check_backward


def rule(forward: Any, backward: Any) -> Any:
    import torch

    class Rule(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return forward(x)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return backward(ctx.saved_tensors[0], g)

    return Rule.apply


def judged(forward: Any, backward: Any) -> Evidence:
    import torch

    apply = rule(forward, backward)
    x = torch.tensor(np.random.default_rng(5).standard_normal((3, 5)))
    return check_backward(lambda x: (apply(x) ** 3).sum(), inputs=(x,), framework="torch")


@wrong(
    "log_softmax sums the gradient over the whole batch",
    says=r"g - exp\(y\) Σ g with the sum over all entries, where .* over axis 1 is due",
    needs="torch",
)
def log_softmax_over_the_batch() -> Evidence:
    def backward(x: Any, g: Any) -> Any:
        return g - x.softmax(-1) * g.sum()

    return judged(lambda x: x.log_softmax(-1), backward)


@wrong(
    "softmax sums over the rows, dim=0",
    says=r"y \(g - Σ g y\) with the sum over axis 0",
    needs="torch",
)
def softmax_over_the_other_axis() -> Evidence:
    def backward(x: Any, g: Any) -> Any:
        y = x.softmax(-1)
        return y * (g - (g * y).sum(0, keepdim=True))

    return judged(lambda x: x.softmax(-1), backward)


@wrong(
    "RMSNorm's backward sums where it is to average",
    says=r"term of the norm.*a sum stands where the mean over axis 1 is due",
    needs="torch",
)
def root_mean_square_summed() -> Evidence:
    def backward(x: Any, g: Any) -> Any:
        r = (x.pow(2).mean(-1, keepdim=True) + 1e-6).rsqrt()
        return r * (g - x * r**2 * (g * x).sum(-1, keepdim=True))

    return judged(lambda x: x * (x.pow(2).mean(-1, keepdim=True) + 1e-6).rsqrt(), backward)


@wrong(
    "layer norm adds the term of the variance",
    says=r"term of the variance: its sign is wrong",
    needs="torch",
)
def variance_term_added() -> Evidence:
    def parts(x: Any) -> tuple[Any, Any]:
        inv = (x.var(-1, unbiased=False, keepdim=True) + 1e-5).rsqrt()
        return (x - x.mean(-1, keepdim=True)) * inv, inv

    def backward(x: Any, g: Any) -> Any:
        z, inv = parts(x)
        return inv * (g - g.mean(-1, keepdim=True) + z * (g * z).mean(-1, keepdim=True))

    return judged(lambda x: parts(x)[0], backward)


@wrong("SiLU's derivative without a factor s", says=r"s \+ x \(1 - s\) where", needs="torch")
def silu_without_a_factor() -> Evidence:
    def backward(x: Any, g: Any) -> Any:
        s = x.sigmoid()
        return g * (s + x * (1 - s))

    return judged(lambda x: x * x.sigmoid(), backward)


@wrong("a bias gets the mean over the batch", says=r"mean over the 7 rows.*sum\(0\)", needs="torch")
def bias_averaged() -> Evidence:
    import torch

    rng = np.random.default_rng(2)
    data, w, b = (torch.tensor(rng.standard_normal(s)) for s in ((7, 3), (3, 4), (4,)))

    def loss(w: Any, b: Any) -> Any:
        return torch.tanh(data @ w + b).pow(2).sum()

    def gradient(w: Any, b: Any) -> Any:
        y = torch.tanh(data @ w + b)
        d = 2 * y * (1 - y**2)
        return data.T @ d, d.mean(0)

    return check_backward(loss, inputs=(w, b), gradient=gradient, framework="torch")


def by_parts(parts: int, whole: bool) -> Evidence:
    """The gradient of a mean over 12 rows, part by part, and what becomes of the parts."""
    import torch

    rng = np.random.default_rng(6)
    data, w, v = (torch.tensor(rng.standard_normal(s)) for s in ((12, 3), (3, 4), (4, 1)))

    def loss(w: Any, v: Any) -> Any:
        out = (torch.sigmoid(data @ w) @ v) ** 2
        return out.mean() if whole else out.sum()

    def gradient(w: Any, v: Any) -> Any:
        w, v = w.detach().requires_grad_(True), v.detach().requires_grad_(True)
        total = [torch.zeros_like(w), torch.zeros_like(v)]
        for rows in data.split(12 // parts):
            out = (torch.sigmoid(rows @ w) @ v) ** 2
            one = torch.autograd.grad(out.mean() if whole else out.sum(), (w, v))
            total = [a + b / (1 if whole else parts) for a, b in zip(total, one, strict=True)]
        return total

    return check_backward(loss, inputs=(w, v), gradient=gradient, framework="torch")


@wrong(
    "gradients of six micro-batches are added up, of means",
    says=r"6 times what is due, as of a sum over 6 micro-batches .*divided by their number",
    needs="torch",
)
def parts_summed() -> Evidence:
    return by_parts(6, whole=True)


@wrong(
    "gradients of three micro-batches are averaged, of sums",
    says=r"as of a mean over 3 micro-batches .*of which the sum is due: multiply by 3",
    needs="torch",
)
def parts_averaged() -> Evidence:
    return by_parts(3, whole=False)


@wrong(
    "the mean of a centred array is held constant",
    says=r"path through node \[sub = .*\] to `mean` \(argument 2\) is missing: add what it sends",
    needs="torch",
)
def mean_term_missing() -> Evidence:
    import torch

    x = torch.tensor(np.random.default_rng(7).standard_normal((5, 4)))

    def gradient(x: Any) -> Any:
        return torch.cos(x - x.mean(0, keepdim=True))

    def loss(x: Any) -> Any:
        return torch.sin(x - x.mean(0, keepdim=True)).sum()

    return check_backward(loss, inputs=(x,), gradient=gradient, framework="torch")
