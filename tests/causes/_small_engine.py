"""An engine of scalars as micrograd has it, with the rules of * and ** handed in."""

from __future__ import annotations

import math


def own_operand(x, y):
    """Each operand's own value."""
    return x, y


def other_operand(x, y):
    return y, x


def power(x, n):
    return n * x ** (n - 1)


def engine(product=other_operand, power=power):
    class Value:
        def __init__(self, data, parents=(), rule=lambda: None):
            self.data, self.grad, self.parents, self.rule = data, 0.0, parents, rule

        def __add__(self, other):
            other = other if isinstance(other, Value) else Value(other)
            out = Value(self.data + other.data, (self, other))

            def rule():
                self.grad += out.grad
                other.grad += out.grad

            out.rule = rule
            return out

        def __mul__(self, other):
            other = other if isinstance(other, Value) else Value(other)
            out = Value(self.data * other.data, (self, other))

            def rule():
                mine, its = product(self.data, other.data)
                self.grad += mine * out.grad
                other.grad += its * out.grad

            out.rule = rule
            return out

        def __pow__(self, n):
            out = Value(self.data**n, (self,))

            def rule():
                self.grad += power(self.data, n) * out.grad

            out.rule = rule
            return out

        def tanh(self):
            t = math.tanh(self.data)
            out = Value(t, (self,))

            def rule():
                self.grad += (1 - t * t) * out.grad

            out.rule = rule
            return out

        def __neg__(self):
            return self * -1

        def __sub__(self, other):
            return self + (-other)

        def __truediv__(self, other):
            return self * (other if isinstance(other, Value) else Value(other)) ** -1

        __radd__, __rmul__ = __add__, __mul__

        def backward(self):
            order, seen = [], set()

            def build(v):
                if id(v) not in seen:
                    seen.add(id(v))
                    for parent in v.parents:
                        build(parent)
                    order.append(v)

            build(self)
            self.grad = 1.0
            for v in reversed(order):
                v.rule()

    return Value


def gradient_of(function, made):
    """``gradient(*inputs)`` by that engine, for tensors of torch."""

    def gradient(*inputs):
        values = [made(float(x)) for x in inputs]
        function(*values).backward()
        return [x.new_tensor(v.grad) for x, v in zip(inputs, values, strict=True)]

    return gradient
