"""Wrong backward passes over the graph form, as engines are written by hand."""

from __future__ import annotations

from collections import deque

import numpy as np

from causes import wrong
from scoreproof import check_backward

# -- engines over the graph form -------------------------------------------------------------------


@wrong(
    "recursion into the children without a visited set",
    says=r"recurs.*(no|without a) visited|walked (again|once) (for|per) every path",
)
def recursive_engine():
    def backward(graph, partials, v_out, one):
        grad = {v: np.zeros_like(one) for v in range(graph.size)}
        steps = [0]

        def visit(v):
            for u, slot in graph.predecessors[v]:
                grad[u] = grad[u] + grad[v] @ partials[slot]
            for u, _ in graph.predecessors[v]:
                steps[0] += 1
                if steps[0] < 5000:  # it would not end on the layered graphs
                    visit(u)

        grad[v_out] = one
        visit(v_out)
        return grad

    return check_backward(backward, [(0, 1), (0, 1), (1, 2), (1, 2), (2, 3), (1, 3)])


@wrong(
    "each node's rule runs after its children's (post-order in place of reverse topological)",
    says=r"post-?order|arguments first|before the nodes that use it|before its consumers",
)
def post_order_engine():
    def backward(graph, partials, v_out, one):
        grad = [np.zeros_like(one) for _ in range(graph.size)]
        grad[v_out] = one
        visited = set()

        def dfs(v):
            if v in visited:
                return
            visited.add(v)
            for u, _ in graph.predecessors[v]:
                dfs(u)
            for u, slot in graph.predecessors[v]:
                grad[u] = grad[u] + grad[v] @ partials[slot]

        dfs(v_out)
        return grad

    return check_backward(backward)


@wrong(
    "a node's grad_fn is dropped after its first visit, so that later contributions stop there",
    says=r"depth-?first|before (all|its consumers)|before .* complete|first (visit|contribution)",
)
def grad_fn_dropped():
    def backward(graph, partials, v_out, one):
        grad = {v_out: one}
        grad_fn = dict(enumerate(graph.predecessors))

        def run(v):
            for u, slot in grad_fn.pop(v, ()):
                grad[u] = grad.get(u, 0) + grad[v] @ partials[slot]
                run(u)

        run(v_out)
        return grad

    return check_backward(backward)


@wrong(
    "a queue without a visited set: what has arrived is sent on again at every arrival",
    says=r"(queue|breadth).*(again|every arrival|visited)|sent on again",
)
def queue_engine():
    def backward(graph, partials, v_out, one):
        grad = [np.zeros_like(one) for _ in range(graph.size)]
        grad[v_out] = one
        queue = deque([v_out])
        while queue:
            v = queue.popleft()
            for u, slot in graph.predecessors[v]:
                grad[u] = grad[u] + grad[v] @ partials[slot]
                queue.append(u)
        return grad

    return check_backward(backward, [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (0, 3), (3, 4)])


@wrong(
    "nodes are taken by their number, not in topological order",
    says=r"(by|in) (the order of )?their numbers?|reversed\(range|node numbers",
)
def by_number():
    def backward(graph, partials, v_out, one):
        grad = np.zeros((graph.size, *one.shape))
        grad[v_out] = one
        for v in range(graph.size - 1, -1, -1):
            for u, slot in graph.predecessors[v]:
                grad[u] += grad[v] @ partials[slot]
        return grad

    return check_backward(backward)


@wrong("the gradient is assigned in place of added", says=r"= for \+=|overwrit")
def assigned():
    class Node:
        def __init__(self, zero):
            self.grad = zero

    def backward(graph, partials, v_out, one):
        nodes = [Node(0 * one) for _ in range(graph.size)]
        nodes[v_out].grad = one
        for v in graph.order[::-1]:
            for u, slot in graph.predecessors[v]:
                if nodes[v].grad.any():
                    nodes[u].grad = nodes[v].grad @ partials[slot]
        return [n.grad for n in nodes]

    return check_backward(backward)


@wrong(
    "zero_grad clears the leaves only: inner nodes keep the gradients of the call before",
    says=r"only the leaves .*are cleared",
)
def leaves_zeroed():
    store = {}

    def backward(graph, partials, v_out, one):
        grad = store.setdefault((graph, v_out), [0 * one for _ in range(graph.size)])
        for v in range(graph.size):
            if not graph.predecessors[v]:
                grad[v] = 0 * one
        grad[v_out] = one
        for v in reversed(graph.order):
            for u, slot in graph.predecessors[v]:
                grad[u] = grad[u] + grad[v] @ partials[slot]
        return list(grad)

    return check_backward(backward)


@wrong(
    "the tape of the first call is replayed: the answer does not follow the new partials",
    says=r"(first|earlier|previous) (call|run|of (the )?two)",
)
def cached_tape():
    known = {}

    def backward(graph, partials, v_out, one):
        if (graph, v_out) not in known:
            grad = [0 * one for _ in range(graph.size)]
            grad[v_out] = one
            for v in reversed(graph.order):
                for u, slot in graph.predecessors[v]:
                    grad[u] = grad[u] + grad[v] @ partials[slot]
            known[graph, v_out] = grad
        return known[graph, v_out]

    return check_backward(backward)


@wrong("each partial is transposed", says=r"transpos")
def transposed_partials():
    def backward(graph, partials, v_out, one):
        grad = [0 * one for _ in range(graph.size)]
        grad[v_out] = one
        for v in reversed(graph.order):
            grad[v] = sum((grad[w] @ partials[s].T for w, s in graph.successors[v]), grad[v])
        return grad

    return check_backward(backward, framework="numpy")


@wrong(
    "every node starts from one and the same array of zeros",
    says=r"same (array|buffer|object)|share",
)
def shared_zeros():
    def backward(graph, partials, v_out, one):
        grad = [np.zeros_like(one)] * graph.size
        grad[v_out] = one.copy()
        for v in reversed(graph.order):
            for u, slot in graph.predecessors[v]:
                grad[u] += grad[v] @ partials[slot]
        return grad

    return check_backward(backward, [(0, 1), (0, 2), (1, 3), (2, 3)])


@wrong(
    "repeated arguments are kept in a dict: of u * u only the last slot counts",
    says=r"u \* u|repeated|several slots|last slot",
)
def arguments_in_a_dict():
    def backward(graph, partials, v_out, one):
        grad = [0 * one for _ in range(graph.size)]
        grad[v_out] = one
        for v in reversed(graph.order):
            for u, slot in dict(graph.predecessors[v]).items():
                grad[u] = grad[u] + grad[v] @ partials[slot]
        return grad

    return check_backward(backward)


@wrong(
    "contributions are averaged over the consumers",
    says=r"(divided by|averaged? over|mean (of|over)).*consumers",
)
def averaged_over_consumers():
    def backward(graph, partials, v_out, one):
        grad = [[] for _ in range(graph.size)]
        grad[v_out].append(one)
        total = [0 * one] * graph.size
        for v in reversed(graph.order):
            if grad[v]:
                total[v] = np.mean(grad[v], axis=0)
            for u, slot in graph.predecessors[v]:
                grad[u].append(total[v] @ partials[slot])
        return total

    return check_backward(backward, [(0, 1), (0, 2), (1, 3), (2, 3), (0, 3), (3, 4)])


@wrong("gradients are clipped to [-5, 5] on the way", says=r"clip\w* (at|to|beyond).*\b5\b")
def clipped_on_the_way():
    def backward(graph, partials, v_out, one):
        grad = [0 * one for _ in range(graph.size)]
        grad[v_out] = one
        for v in reversed(graph.order):
            grad[v] = np.clip(grad[v], -5, 5)
            for u, slot in graph.predecessors[v]:
                grad[u] = grad[u] + grad[v] @ partials[slot]
        return grad

    return check_backward(backward)


@wrong(
    "the second argument has the wrong sign (as of a subtraction)", says=r"argument 2.*(sign|-1)"
)
def second_slot_negated():
    def backward(graph, partials, v_out, one):
        grad = [0 * one for _ in range(graph.size)]
        grad[v_out] = one
        for v in reversed(graph.order):
            for k, (u, slot) in enumerate(graph.predecessors[v]):
                term = grad[v] @ partials[slot]
                grad[u] = grad[u] - term if k == 1 else grad[u] + term
        return grad

    return check_backward(backward)


LONGER = [(0, 1), (1, 2), (0, 2), (2, 3), (1, 3), (3, 4), (0, 4), (2, 5), (4, 5)]
SHORT_WAY = [(0, 1), (1, 2), (2, 3), (3, 4), (1, 4)]


@wrong(
    "a work list takes in a node whenever it is reached, unless it is waiting",
    says=r"path 4→1→0 counts twice: node 1 passed its gradient on before node 2 had sent to it, and"
    r" then passed the whole of it on again",
)
def work_list_sends_again():
    def backward(graph, partials, v_out, one):
        grad = {v: np.zeros_like(one) for v in range(graph.size)}
        grad[v_out] = one
        waiting = deque([v_out])
        while waiting:
            v = waiting.popleft()
            for u, slot in graph.predecessors[v]:
                grad[u] = grad[u] + grad[v] @ partials[slot]
                if u not in waiting:
                    waiting.append(u)
        return grad

    return check_backward(backward, SHORT_WAY)


@wrong(
    "nodes are taken from a set as they are reached, the one in the middle first",
    says=r"path 5→2→1 counts twice.*: node 2 passed its gradient on before node 3 had sent to it,"
    r" and then passed the whole of it on again",
)
def work_set_sends_again():
    def backward(graph, partials, v_out, one):
        grad = [np.zeros_like(one) for _ in range(graph.size)]
        grad[v_out] = one
        waiting = {v_out}
        while waiting:
            v = sorted(waiting)[len(waiting) // 2]
            waiting.discard(v)
            for u, slot in graph.predecessors[v]:
                grad[u] = grad[u] + grad[v] @ partials[slot]
                waiting.add(u)
        return grad

    return check_backward(backward, LONGER)


@wrong(
    "a node that was reached twice is put into the order twice",
    says=r"node 1 passes its whole gradient on twice",
)
def node_listed_twice():
    def backward(graph, partials, v_out, one):
        grad = [np.zeros_like(one) for _ in range(graph.size)]
        grad[v_out] = one
        order = [*reversed(graph.order)]
        order.insert(order.index(1), 1)
        for v in order:
            for u, slot in graph.predecessors[v]:
                grad[u] = grad[u] + grad[v] @ partials[slot]
        return grad

    return check_backward(backward, SHORT_WAY)
