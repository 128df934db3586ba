"""Wrong backward passes: rules of several outputs, norms, and engines that keep or miss a node."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_backward

RNG = np.random.default_rng(11)


def torch_rule(forward, backward):
    """An ``autograd.Function`` of two functions of tensors."""
    import torch

    class Rule(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *given):
            ctx.save_for_backward(*given)
            return forward(*given)

        @staticmethod
        def backward(ctx, *grads):
            return backward(ctx.saved_tensors, *grads)

    return Rule.apply


def judged(function, *shapes):
    import torch

    inputs = [torch.from_numpy(RNG.normal(size=s) + 0.2) for s in shapes]
    return check_backward(function, inputs=tuple(inputs), framework="torch")


@wrong(
    "of a split with two outputs the second's gradient goes into both terms",
    says=r"the gradient of output 2 where that of output 1 is due: it takes the gradient of output"
    r" 2 twice.*are right|the gradient of output 2 where that of output 1 is due.*is right",
    needs="torch",
)
def second_gradient_twice():
    import torch

    rule = torch_rule(
        lambda a, b: (a * b, torch.sin(a)),
        lambda saved, g, h: (h * saved[1] + h * torch.cos(saved[0]), g * saved[0]),
    )

    def loss(a, b):
        u, v = rule(a, b)
        return (u * v**2).sum()

    return judged(loss, 5, 5)


@wrong(
    "the gradient of the second output is never used",
    says=r"the part that the gradient of output 2 brings, nothing \(0 or None\).*output 1 is right",
    needs="torch",
)
def second_gradient_ignored():
    import torch

    rule = torch_rule(
        lambda a: (torch.tanh(a), torch.exp(-a)),
        lambda saved, g, h: g * (1 - torch.tanh(saved[0]) ** 2),
    )

    def loss(a):
        u, v = rule(a)
        return (u * v).sum()

    return judged(loss, 6)


@wrong(
    "the gradients of two outputs are exchanged",
    says=r"gradient of output 1 where that of output 2 is due, and the reverse",
    needs="torch",
)
def gradients_exchanged():
    import torch

    rule = torch_rule(
        lambda a: (a**2, torch.sin(a)),
        lambda saved, g, h: h * 2 * saved[0] + g * torch.cos(saved[0]),
    )

    def loss(a):
        u, v = rule(a)
        return (u**2 * v).sum()

    return judged(loss, 6)


@wrong(
    "one output's derivative is halved, the other is right",
    says=r"of the part that the gradient of output 1 brings, 0\.5 = 1/2 times what is due",
    needs="torch",
)
def half_of_one_output():
    import torch

    rule = torch_rule(
        lambda a: (a**2, torch.sin(a)),
        lambda saved, g, h: g * saved[0] + h * torch.cos(saved[0]),
    )

    def loss(a):
        u, v = rule(a)
        return (u**2 * v).sum()

    return judged(loss, (2, 3))


@wrong(
    "a layer norm with ε whose variance is held constant",
    says=r"without the term of the variance",
    needs="torch",
)
def layer_norm_with_epsilon():
    import torch

    def parts(x):
        centred = x - x.mean(-1, keepdim=True)
        return centred, (centred.pow(2).mean(-1, keepdim=True) + 1e-3).rsqrt()

    def backward(saved, g):
        return parts(saved[0])[1] * (g - g.mean(-1, keepdim=True))

    rule = torch_rule(lambda x: parts(x)[0] * parts(x)[1], backward)
    return judged(lambda x: torch.tanh(rule(x)).sum(), (3, 6))


@wrong(
    "an RMS norm whose root mean square is held constant",
    says=r"with the norm \(or the root mean square\) over axis 1 held constant",
    needs="torch",
)
def rms_norm():
    import torch

    def scale(x):
        return (x.pow(2).mean(-1, keepdim=True) + 1e-6).rsqrt()

    rule = torch_rule(lambda x: x * scale(x), lambda saved, g: g * scale(saved[0]))
    return judged(lambda x: torch.tanh(rule(x)).sum(), (3, 5))


@wrong(
    "the backward of the exact GELU beside the forward of its tanh form",
    says=r"derivative of the GELU with erf, where that of the GELU by tanh is due",
    needs="torch",
)
def another_gelu():
    import torch

    def backward(saved, g):
        x = saved[0]
        bell = torch.exp(-(x**2) / 2) / (2 * np.pi) ** 0.5
        return g * ((1 + torch.erf(x / 2**0.5)) / 2 + x * bell)

    rule = torch_rule(lambda x: torch.nn.functional.gelu(x, approximate="tanh"), backward)
    return judged(lambda x: torch.sin(rule(x)).sum(), (3, 4))


@wrong(
    "the derivative of SiLU for Mish",
    says=r"derivative of SiLU \(swish\), x sigmoid\(x\), where that of Mish is due",
    needs="torch",
)
def silu_for_mish():
    import torch

    def backward(saved, g):
        s = torch.sigmoid(saved[0])
        return g * s * (1 + saved[0] * (1 - s))

    rule = torch_rule(torch.nn.functional.mish, backward)
    return judged(lambda x: torch.cos(rule(x)).sum(), 9)


@wrong(
    "a graph's nodes keep .grad from one call to the next, with another output too",
    says=r"gradients of all earlier calls are still there.*clear every node",
)
def grads_live_on():
    grad = {}

    def backward(graph, partials, v_out, one):
        grad[v_out] = one
        for v in reversed(graph.order):
            for u, slot in graph.predecessors[v]:
                grad[u] = grad.get(u, 0 * one) + grad.get(v, 0 * one) @ partials[slot]
        return [grad.get(v, 0 * one) for v in range(graph.size)]

    return check_backward(backward, [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (1, 4)])


@wrong(
    "the same with the seed added",
    says=r"gradients of all earlier calls are still there.*seed is added to what v_out had",
)
def grads_live_on_seed_added():
    grad = {}

    def backward(graph, partials, v_out, one):
        grad[v_out] = grad.get(v_out, 0 * one) + one
        for v in reversed(graph.order):
            for u, slot in graph.predecessors[v]:
                grad[u] = grad.get(u, 0 * one) + grad.get(v, 0 * one) @ partials[slot]
        return [grad.get(v, 0 * one) for v in range(graph.size)]

    return check_backward(backward, [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (1, 4)])


@wrong(
    "the loop down the order ends before its second node",
    says=r"second node of the order does not send",
)
def second_node_silent():
    def backward(graph, partials, v_out, one):
        grad = [np.zeros_like(one) for _ in range(graph.size)]
        grad[v_out] = one
        k = graph.size - 1
        while k > 1:
            v = graph.order[k]
            for u, slot in graph.predecessors[v]:
                grad[u] = grad[u] + grad[v] @ partials[slot]
            k -= 1
        return grad

    return check_backward(backward)


@wrong(
    "a queue with marks, each node taken as it is reached",
    says=r"^(?!.*cannot be told apart).*Cause: nodes are taken from a queue as they are reached",
)
def marked_queue():
    def backward(graph, partials, v_out, one):
        grad, waiting, known = {v_out: one}, [v_out], {v_out}
        for v in waiting:
            for u, slot in graph.predecessors[v]:
                grad[u] = grad.get(u, 0 * one) + grad[v] @ partials[slot]
                if u not in known:
                    known.add(u)
                    waiting.append(u)
        return grad

    return check_backward(backward)
