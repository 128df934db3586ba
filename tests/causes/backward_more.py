"""Further wrong backward passes, written after the checks' explanations were."""

from __future__ import annotations

from causes import wrong
from causes.backward import B1, RNG, W1, W2, X, Y, torched
from causes.backward_rules import applied, function
from scoreproof import check_backward


@wrong(
    "build_topo has a default argument visited=set(), which lives on",
    says=r"visited.*kept from one call to the next|default argument",
)
def visited_default():
    def build(graph, v, topo, visited=set()):  # noqa: B006
        if v not in visited:
            visited.add(v)
            for u, _ in graph.predecessors[v]:
                build(graph, u, topo)
            topo.append(v)
        return topo

    def backward(graph, partials, v_out, one):
        grad = [0 * one for _ in range(graph.size)]
        grad[v_out] = one
        for v in reversed(build(graph, v_out, [])):
            for u, slot in graph.predecessors[v]:
                grad[u] = grad[u] + grad[v] @ partials[slot]
        return grad

    return check_backward(backward)


@wrong(
    "the pull loop stops at a node's first consumer",
    says=r"first (consumer|successor)|first 1 cons",
)
def first_consumer():
    def backward(graph, partials, v_out, one):
        def grad(v):
            if v == v_out:
                return one
            for w, slot in graph.successors[v]:
                return grad(w) @ partials[slot]
            return 0 * one

        return [grad(v) for v in range(graph.size)]

    return check_backward(backward, [(0, 1), (0, 2), (1, 3), (2, 3), (0, 3)])


@wrong(
    "attention by hand: the 1/sqrt(d) is missing on the way to q and k",
    says=r"√3|1\.73205|sqrt\(3\)",
)
def attention_scale():
    def f(q, k, v):
        return ((q @ k.T / 3**0.5).softmax(-1) @ v).square().sum()

    def gradient(q, k, v):
        a = (q @ k.T / 3**0.5).softmax(-1)
        d = 2 * (a @ v)
        da = d @ v.T
        ds = a * (da - (da * a).sum(-1, keepdim=True))
        return ds @ k, ds.T @ q, a.T @ d

    return torched(f, X, Y, RNG.standard_normal((5, 3)), gradient=gradient)


@wrong(
    "back-propagation through time goes one step back only",
    says=r"(held constant|path|contribution).*(missing|tanh|matmul)",
)
def truncated_time():
    def f(x, w):
        h = x
        for _ in range(3):
            h = (h @ w).tanh()
        return h.square().sum()

    def gradient(x, w):
        hs = [x]
        for _ in range(3):
            hs.append((hs[-1] @ w).tanh())
        d = 2 * hs[3] * (1 - hs[3] ** 2)
        dw = hs[2].T @ d
        d = (d @ w.T) * (1 - hs[2] ** 2)
        d = (d @ w.T) * (1 - hs[1] ** 2)
        return d @ w.T, dw

    return torched(f, X, W1, gradient=gradient)


@wrong("cross-entropy by hand: y - p", says=r"negative of what is due|flip the sign")
def cross_entropy_sign():
    labels = __import__("torch").tensor([0, 2, 1, 1, 0])

    def f(x, w):
        return __import__("torch").nn.functional.cross_entropy(x @ w, labels)

    def gradient(x, w):
        p = (x @ w).softmax(-1)
        y = p * 0
        y[range(5), labels] = 1
        d = (y - p) / 5
        return d @ w.T, x.T @ d

    return torched(f, X, W1, gradient=gradient)


@wrong("custom_vjp of logsumexp: exp(x), not normalised", says=r"logsumexp|lse", needs="jax")
def jax_logsumexp():
    import jax

    jnp = jax.numpy

    @jax.custom_vjp
    def lse(x):
        return jnp.log(jnp.exp(x).sum(-1))

    lse.defvjp(lambda x: (lse(x), x), lambda x, g: (g[:, None] * jnp.exp(x),))
    return check_backward(lambda x: (lse(x) ** 2).sum(), inputs=jnp.asarray(X), framework="jax")


@wrong(
    "the maximum's gradient is spread over all entries",
    says=r"amax.*(all|every|equal|spread|evenly)",
)
def maximum_spread():
    def gradient(x, w):
        d = (2 * (x @ w).amax(-1, keepdim=True)).expand(5, 3) / 3
        return d @ w.T, x.T @ d

    return torched(lambda x, w: (x @ w).amax(-1).square().sum(), X, W1, gradient=gradient)


@wrong(
    "SiLU' = sigmoid(x), the second term of the product rule missing",
    says=r"SiLU.*times sigmoid\(x\), where",
)
def silu_one_term():
    return applied(
        lambda x: x * x.sigmoid(), lambda ctx, g: g * ctx.saved_tensors[0].sigmoid(), "SiLU", X
    )


@wrong(
    "a checkpointed block returns None for its weight", says=r"for `w\w*`.*(nothing|no gradient)"
)
def checkpoint_without_weight():
    torch = __import__("torch")

    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        with torch.no_grad():
            return (x @ w).tanh()

    def backward(ctx, g):
        x, w = ctx.saved_tensors
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            y = (x @ w).tanh()
        return torch.autograd.grad(y, x, g)[0], None

    block = function(forward, backward, "Checkpoint")
    return torched(lambda x, w: block(x, w).square().sum(), X, W1)


@wrong("a gradient reversal layer", says=r"(negative|-0\.5|-1/2)")
def gradient_reversal():
    op = function(lambda ctx, x: x.clone(), lambda ctx, g: -0.5 * g, "GradReverse")
    return torched(lambda x, w: (op(x @ w) * 1.5).sin().sum(), X, W1)


@wrong("weight decay: λ w where 2 λ w is due", says=r"(square|pow|sum).*(1/2|0\.5)")
def decay_halved():
    def f(x, w):
        return (x @ w).sin().sum() + 0.1 * (w**2).sum()

    def gradient(x, w):
        d = (x @ w).cos()
        return d @ w.T, x.T @ d + 0.1 * w

    return torched(f, X, W1, gradient=gradient)


@wrong(
    "the bias' gradient is summed over the features, not over the batch",
    says=r"`b`.*(axis|row|sum)",
)
def bias_axis():
    def f(x, w, b):
        return ((x @ w).T @ (x @ w) + b).sin().sum()

    def gradient(x, w, b):
        h = x @ w
        d = (h.T @ h + b).cos()
        dh = h @ (d + d.T)
        return dh @ w.T, x.T @ dh, d.sum(1)

    return torched(f, X, W2, B1, gradient=gradient)


@wrong(
    "dW is computed from the pre-activation, not from h",
    says=r"`\w*`, not at (tanh|`?tanh)|before|at `add|matmul.*not at",
)
def preactivation_saved():
    def f(x, w1, w2):
        return ((x @ w1).tanh() @ w2).sin().sum()

    def gradient(x, w1, w2):
        z = x @ w1
        h = z.tanh()
        d = (h @ w2).cos()
        dz = (d @ w2.T) * (1 - h**2)
        return dz @ w1.T, x.T @ dz, z.T @ d

    return torched(f, X, W1, W2, gradient=gradient)


@wrong(
    "parameters of a closure: w was updated, the gradient still uses the old one",
    says=r"`w`.*not looked at|stored",
)
def stale_weight():
    old = __import__("torch").tensor(W1 + 0.1)

    def gradient(x, w):
        d = (x @ old).cos()
        return d @ old.T, x.T @ d

    return torched(lambda x, w: (x @ w).sin().sum(), X, W1, gradient=gradient)


@wrong(
    "sqrt(x² + y²) with a rule that misses the division by the norm",
    says=r"Norm.*(times|divid).*(y|value)",
)
def norm_not_divided():
    return applied(
        lambda a, b: (a**2 + b**2).sqrt(),
        lambda ctx, g: (g * ctx.saved_tensors[0], g * ctx.saved_tensors[1]),
        "Norm",
        X,
        Y,
    )


@wrong("subtraction in an engine of arrays: both get +g", says=r"Sub.*argument 2.*negative")
def subtraction():
    return applied(lambda a, b: a - b, lambda ctx, g: (g, g), "Sub", X, Y)
