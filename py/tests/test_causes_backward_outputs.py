"""check_backward: rules of several outputs, failures while a cause is sought, searches' bounds."""

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.public.backward.budget import Budget
from scoreproof.public.backward.engine_words import distinct

torch = pytest.importorskip("torch")


def rule(forward, backward):
    class Rule(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *given):
            ctx.save_for_backward(*given)
            return forward(*given)

        @staticmethod
        def backward(ctx, *grads):
            return backward(ctx.saved_tensors, *grads)

    return Rule.apply


def judged(backward, n=5):
    apply = rule(lambda a: (a**2, torch.sin(a)), backward)
    x = torch.linspace(-1.0, 1.3, n, dtype=torch.float64)

    def loss(a):
        u, v = apply(a)
        return (u**2 * v).sum()

    return sp.check_backward(loss, inputs=(x,), framework="torch")


def test_right_rules_of_two_outputs_hold():
    assert judged(lambda s, g, h: 2 * g * s[0] + h * torch.cos(s[0]))


@pytest.mark.parametrize(
    ("backward", "said"),
    [
        (lambda s, g, h: 2 * g * s[0], "output 2 brings, nothing"),
        (lambda s, g, h: 2 * g * s[0] - h * torch.cos(s[0]), "output 2 brings, the negative"),
        (
            lambda s, g, h: 2 * g * s[0] + g * torch.cos(s[0]),
            "the gradient of output 1 where that of output 2 is due: it takes",
        ),
    ],
)
def test_the_output_is_named(backward, said):
    evidence = judged(backward)
    assert evidence.verdict == "refuted" and said in evidence.explain(), evidence.explain()
    assert evidence.diagnosis.names


def test_no_output_is_named_where_none_explains():
    evidence = judged(lambda s, g, h: 2 * g * s[0] + (g * 0.3 + h * 0.4) * torch.cos(s[0] * 1.7))
    assert evidence.verdict == "refuted" and not evidence.diagnosis.names
    assert "of the part that the gradient of output" in evidence.explain()


def test_a_failure_while_the_cause_of_a_rule_is_sought_costs_the_cause_alone(monkeypatch):
    from scoreproof.public.backward import refuting

    def fails(*_):
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setattr(refuting, "rule_diagnosis", fails)
    evidence = judged(lambda s, g, h: 2 * g * s[0])
    assert evidence.verdict == "refuted" and not evidence.diagnosis.names
    assert "ended in ZeroDivisionError: a mistake of ours" in evidence.explain()


def test_alike_mistakes_are_told_once_and_others_kept():
    x, y = np.array([1.0, 2.0]), np.array([1.0, 3.0])
    kept = distinct({"stack": x, "queue_marked_late": x, "depth_first": y, "seed_of_ones": x})
    assert set(kept) == {"stack", "depth_first", "seed_of_ones"}
    assert set(distinct({"queue_marked_late": x}, {"push_breadth_first": x})) == set()
    assert set(distinct({"queue_marked_late": y}, {"push_breadth_first": x})) == {
        "queue_marked_late"
    }


def test_a_budget_is_spent():
    b = Budget(3)
    assert [b.spent(), b.spent(2), b.spent()] == [False, False, True]


def bits(x):
    """Nearly the logarithm to base 2, off the bits of float32."""
    return x.view(torch.int32).float() * 2.0**-23 - 127


def test_bits_that_a_value_depends_on_pass_no_gradient():
    x = torch.tensor([0.55, 2.1, 3.3])
    evidence = sp.check_backward(lambda a: (bits(a) * a).sum(), inputs=(x,), framework="torch")
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == ("bits_of_a_float",)
    sign = sp.check_backward(
        lambda a: (torch.where(a.view(torch.int32) < 0, -a, a) ** 3).sum(),
        inputs=(x * torch.tensor([1.0, -1.0, 1.0]),),
        framework="torch",
    )
    assert sign, sign.explain()


def test_an_index_or_a_whole_number_is_no_bit():
    x = torch.tensor([1.0, 2.1, 3.3], dtype=torch.float64)  # 1.0 lies at a jump of int()
    for f in (
        lambda a: (a * 3).int().double().sum() + (a**2).sum(),
        lambda a: a[a.argmax()] ** 2 + (a > 0).sum() * a.sum(),
        lambda a: (a * torch.arange(9.0)[torch.bucketize(a.detach(), x)]).sum(),
    ):
        assert sp.check_backward(f, inputs=(x,), framework="torch")


def test_a_softmax_rule_is_read_only_where_the_formula_explains_it():
    def asked(backward):
        apply = rule(lambda a: a.softmax(-1), lambda saved, g: backward(saved[0].softmax(-1), g))
        x = torch.linspace(-1.0, 1.3, 12, dtype=torch.float64).reshape(3, 4)
        return sp.check_backward(lambda a: (apply(a) ** 3).sum(), inputs=(x,), framework="torch")

    assert asked(lambda y, g: y * (g - (g * y).sum(-1, keepdim=True)))
    for wrong in (
        lambda y, g: y * (g - (g * y).sum()),
        lambda y, g: y * (g - g.sum(-1, keepdim=True)),
        lambda y, g: g - (g * y).sum(-1, keepdim=True),
    ):
        evidence = asked(wrong)
        assert evidence.diagnosis.names == ("sum_of_softmax",), evidence.explain()
    other = asked(lambda y, g: y * (g - 0.7 * (g * y).sum(-1, keepdim=True)))
    assert other.verdict == "refuted" and "sum_of_softmax" not in other.diagnosis.names
