"""Wrong gradients by hand of functions: scalar engines, NumPy networks, programs."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_backward

RNG = np.random.default_rng(7)
X, Y = RNG.standard_normal((5, 3)), RNG.standard_normal((5, 3))
W1, B1, W2, B2 = (RNG.standard_normal(s) for s in ((3, 3), (3,), (3, 3), (3,)))
POSITIVE = np.abs(RNG.standard_normal(5)) + 0.3
MASK = (RNG.random((5, 3)) < 0.5).astype(float)


def torched(function, *inputs, **more):
    """A function of PyTorch at NumPy arrays."""
    torch = __import__("torch")
    return check_backward(function, inputs=tuple(map(torch.tensor, inputs)), **more)


# -- engines and networks in NumPy -----------------------------------------------------------------


class Value:
    """A scalar engine in micrograd's style, whose backward is a plain recursion."""

    def __init__(self, data, prev=()):
        self.data, self.grad, self.prev, self.rule = data, 0.0, prev, lambda: None

    def __add__(self, other):
        out = Value(self.data + other.data, (self, other))

        def rule():
            self.grad += out.grad
            other.grad += out.grad

        out.rule = rule
        return out

    def __mul__(self, other):
        out = Value(self.data * other.data, (self, other))

        def rule():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out.rule = rule
        return out

    def backward(self, root=True):
        if root:
            self.grad = 1.0
        self.rule()
        for child in self.prev:
            child.backward(False)


@wrong(
    "micrograd without topological order: recursion into the children",
    says=r"recurs.*(no|without a) visited|walked (again|once) (for|per) every path",
)
def micrograd_recursion():
    def f(a, b):
        c, d = a + b, a * b
        return (c + d) + c * d

    def gradient(a, b):
        a, b = Value(a.item()), Value(b.item())
        f(a, b).backward()
        return a.grad, b.grad

    return torched(f, np.array(2.0), np.array(3.0), gradient=gradient)


def mlp(x, W1, b1, W2, b2):
    h = (x @ W1 + b1).tanh()
    out = h @ W2 + b2
    return ((out - 0.5) ** 2).mean()


class Net:
    """The gradient of `mlp` by hand, in pieces."""

    n_mean, extra = 15.0, 2.0

    def dtanh(self, z, h, dh):
        return (1 - h**2) * dh

    def bias(self, d):
        return d.sum(0)

    def down(self, d, W):
        return d @ W.T

    def weight(self, a, d):
        return a.T @ d

    def __call__(self, x, W1, b1, W2, b2):
        x, W1, b1, W2, b2 = (t.numpy() for t in (x, W1, b1, W2, b2))
        z = x @ W1 + b1
        h = np.tanh(z)
        d2 = self.extra * (h @ W2 + b2 - 0.5) / self.n_mean
        d1 = self.dtanh(z, h, self.down(d2, W2))
        return (
            self.down(d1, W1),
            self.weight(x, d1),
            self.bias(d1),
            self.weight(h, d2),
            self.bias(d2),
        )


def network(net):
    return torched(mlp, X, W1, B1, W2, B2, gradient=net)


@wrong("tanh' is 1 - tanh", says=r"times \(?1 - y\)?, where \(?1 - y²\)? is due")
def tanh_not_squared():
    class Wrong(Net):
        def dtanh(self, z, h, dh):
            return (1 - h) * dh

    return network(Wrong())


@wrong("tanh' is taken at the output", says=r"tanh.*(at|of) (the|its) output")
def tanh_of_tanh():
    class Wrong(Net):
        def dtanh(self, z, h, dh):
            return (1 - np.tanh(h) ** 2) * dh

    return network(Wrong())


@wrong(
    "W where its transpose is due",
    says=r"not transposed|W\d? (where|in place of) .*transpos|transpos.*(matmul|@)",
)
def not_transposed():
    class Wrong(Net):
        def down(self, d, W):
            return d @ W

    return network(Wrong())


@wrong("biases get the mean over the batch", says=r"`b1` and `b2`.*(0\.2 = 1/n|1/5)")
def bias_mean():
    class Wrong(Net):
        def bias(self, d):
            return d.mean(0)

    return network(Wrong())


@wrong(
    "the mean over all entries was divided by the batch only", says=r"(factor|times) 3\b|3 times"
)
def mean_over_batch_only():
    class Wrong(Net):
        n_mean = 5.0

    return network(Wrong())


@wrong("the 2 of the square is lost", says=r"1/2|half")
def square_halved():
    class Wrong(Net):
        extra = 1.0

    return network(Wrong())


@wrong("the weights' gradients are transposed", says=r"`W1` and `W2` are transposed")
def weights_transposed():
    class Wrong(Net):
        def weight(self, a, d):
            return d.T @ a

    return network(Wrong())


@wrong("dW1 and dW2 are returned in each other's place", says=r"`W1` and `W2` are exchanged")
def exchanged():
    def gradient(*args):
        dx, dw1, db1, dw2, db2 = Net()(*args)
        return dx, dw2, db1, dw1, db2

    return network(gradient)


@wrong("no gradients for the biases", says=r"`b1` and `b2` get no gradient")
def biases_forgotten():
    class Wrong(Net):
        def bias(self, d):
            return np.zeros(d.shape[1])

    return network(Wrong())


@wrong("grads are not zeroed between calls", says=r"not (zeroed|cleared)|adds? (up|to)|second call")
def accumulated():
    store = [0.0] * 5

    def gradient(*args):
        for i, g in enumerate(Net()(*args)):
            store[i] = store[i] + g
        return tuple(store)

    gradient(*(__import__("torch").tensor(a) for a in (X, W1, B1, W2, B2)))  # a step before
    return network(gradient)


@wrong(
    "the skip connection is left out on the way back",
    says=r"path through node \[add = add\(x, relu\).* to `x` .*missing",
)
def skip_forgotten():
    def block(x, w):
        return ((x + (x @ w).relu()) ** 2).sum()

    def gradient(x, w):
        z = x @ w
        d = 2 * (x + z.relu())
        dz = d * (z > 0)
        return dz @ w.T, x.T @ dz

    return torched(block, X, W1, gradient=gradient)


@wrong(
    "relu's mask is the sign of the gradient", says=r"relu.*(gradient.*(positive|sign|> 0)|mask)"
)
def relu_by_gradient():
    def f(x, w1, w2):
        return ((x @ w1).relu() @ w2).sin().sum()

    def gradient(x, w1, w2):
        h = (x @ w1).relu()
        d = (h @ w2).cos()
        dh = d @ w2.T
        dh[dh <= 0] = 0
        return dh @ w1.T, x.T @ dh, h.T @ d

    return torched(f, X, W1, W2, gradient=gradient)


@wrong("softmax' is its diagonal alone", says=r"diagonal")
def softmax_diagonal():
    def f(x, w):
        return ((x @ w).softmax(-1) * MASK_).sum()

    def gradient(x, w):
        p = (x @ w).softmax(-1)
        d = MASK_ * p * (1 - p)
        return d @ w.T, x.T @ d

    MASK_ = __import__("torch").tensor(X)
    return torched(f, X, W1, gradient=gradient)


@wrong(
    "layer norm: mean and variance are held constant",
    says=r"(mean|statistic).*(constant|missing|absent)",
)
def layer_norm_by_std():
    def f(x, gain):
        mean = x.mean(-1, keepdim=True)
        std = ((x - mean) ** 2).mean(-1, keepdim=True).sqrt()
        return (((x - mean) / std * gain) ** 3).sum()

    def gradient(x, gain):
        mean = x.mean(-1, keepdim=True)
        std = ((x - mean) ** 2).mean(-1, keepdim=True).sqrt()
        y = (x - mean) / std
        d = 3 * (y * gain) ** 2
        return d * gain / std, (d * y).sum(0)

    return torched(f, X, B1, gradient=gradient)


@wrong(
    "a tied weight: only its use in the decoder is counted",
    says=r"path through node \[matmul = matmul\(x, w\).*to `w` .*missing",
)
def tied_weight():
    def f(x, w):
        return ((x @ w).tanh() @ w.T - x).square().sum()

    def gradient(x, w):
        h = (x @ w).tanh()
        d = 2 * (h @ w.T - x)
        return ((d @ w) * (1 - h**2)) @ w.T - d, d.T @ h

    return torched(f, X, W1, gradient=gradient)


@wrong("the dropout mask without its 1/(1 - p)", says=r"0\.8\b|4/5")
def dropout_scale():
    def f(x, w):
        return ((x @ w).tanh() * MASK_ / 0.8).square().sum()

    def gradient(x, w):
        h = (x @ w).tanh()
        d = 2 * h * MASK_ / 0.8 * MASK_ * (1 - h**2)
        return d @ w.T, x.T @ d

    MASK_ = __import__("torch").tensor(MASK)
    return torched(f, X, W1, gradient=gradient)


@wrong("log2 differentiated as ln", says=r"ln 2|log\(2\)")
def log_base():
    return torched(lambda p: (p.log2() * p).sum(), POSITIVE, gradient=lambda p: p.log2() + 1)


@wrong("x^4 differentiated as 4 x^4", says=r"(times|factor|by) x\b|exponent")
def pow_exponent():
    return torched(lambda x: (x**4).sum(), X, gradient=lambda x: 4 * x**4)


@wrong(
    "a/b differentiated as -a/b in b",
    says=r"\bb\b.*(times|factor|by) b\b|div.*argument 2|denominator",
)
def division_second_slot():
    return torched(
        lambda a, b: (a / b).sum(), X[0], POSITIVE[:3], gradient=lambda a, b: (1 / b, -a / b)
    )


# -- programs --------------------------------------------------------------------------------------


@wrong("rounding with x + (round(x) - x).detach()", says=r"straight-through.*(detach|round)")
def rounding_through():
    return torched(lambda x: ((x + (x.round() - x).detach()) ** 2).sum(), X)


@wrong(
    "the norm is taken under no_grad",
    says=r"(path|contribution).*(norm|div).*(missing|absent)|norm.*(held constant|no_grad)",
)
def norm_under_no_grad():
    torch = __import__("torch")

    def f(x):
        with torch.no_grad():
            size = x.norm()
        return (x / size).pow(3).sum()

    return torched(f, X)


@wrong("a hook clips the gradient of w to [-0.1, 0.1]", says=r"clip.*0\.1\b")
def clipping_hook():
    torch = __import__("torch")
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2).double()
    model.weight.register_hook(lambda g: g.clamp(-0.1, 0.1))
    return torched(model, X)


@wrong("by hand: sum in place of mean, in jax", says=r"params|(factor|times) 5\b", needs="jax")
def jax_mean():
    import jax

    def loss(params, x):
        return jax.numpy.mean(jax.numpy.tanh(x @ params["w"] + params["b"]).sum(-1))

    def gradient(params, x):
        h = np.tanh(x @ params["w"] + params["b"])
        d = 1 - h**2
        return d.sum(0), x.T @ d, d @ params["w"].T

    with jax.enable_x64(True):
        return check_backward(
            loss, inputs=({"w": W1, "b": B1}, X), gradient=gradient, framework="jax"
        )
