"""What wrong engines are in words, and which of them need not be told apart."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scoreproof.public.backward.walks import EARLY, WALKS

__all__ = ["ENGINE_REASONS", "distinct"]

ENGINE_REASONS = {name: text for name, (_, text) in WALKS.items()} | {
    "partials_transposed": "grad @ partial.T: each partial is transposed",
    "partials_transposed_and_swapped": "partial.T @ grad: right for columns; gradients here are"
    " rows, so grad @ partial is due",
    "zeroed_leaves_only": "only the leaves (nodes without arguments) are cleared before a call: the"
    " inner nodes keep the gradients of the call before",
    "seed_at_end_of_order": "the seed is put at the last node of the order, not at v_out",
    "seed_everywhere": "every node starts with the seed, not v_out alone",
    "seed_at_all_sinks": "the seed is put at every node without consumers, not at v_out alone",
    "seed_of_ones": "the given seed is ignored: ones are used in its place",
    "seed_identity": "the given seed is ignored: the identity is used in its place",
    "assigns": "= for +=: a contribution overwrites those before it",
    "recursion_overwrites": "a recursion that sets the gradient at every visit (= for +=): only the"
    " path that comes last counts",
    "assigns_reached": "= for +=: a contribution overwrites those before it",
    "assigns_by_depth": "= for +=: a contribution overwrites those before it",
    "shared_zeros": "all nodes share one and the same array of zeros ([zeros] * size), and +="
    " writes into it: make one array a node",
    "last_partial_for_all": "every argument of a node gets the partial of its last argument (a"
    " closure that reads the loop's variable when it is called, say): bind it for each slot",
    "first_partial_for_all": "every argument of a node gets the partial of its first argument",
    "push_breadth_first": f"nodes are taken from a queue as they are reached, {EARLY}",
    "kept_over_calls": "the gradients of all earlier calls are still there (.grad of nodes that"
    " live on from one call to the next, also where v_out is another one): v_out alone is set anew;"
    " clear every node at the start of a call",
    "kept_over_calls_with_seed_added": "the gradients of all earlier calls are still there (.grad"
    " of nodes that live on from one call to the next), and the seed is added to what v_out had;"
    " clear every node at the start of a call",
    "first_call_again": "the answer of the first call comes back in the second, although the"
    " partials are others: a cache that does not look at them",
    "visited_kept": "the set of visited nodes is kept from one call to the next (a mutable default"
    " argument, say): nodes of earlier calls are left out",
    "two_calls_added": "the gradients of two calls with the same arguments are added: .grad of the"
    " leaves is not cleared between them (zero_grad is missing)",
    "run_again_on_its_gradients": "backward() is called twice on the same graph, whose inner nodes"
    " keep the gradients of the first run: clear every node, or build the graph anew",
    "averaged_over_consumers": "contributions are averaged over the consumers of a node: they add"
    " up, they are not divided by their number",
    "divided_by_root_of_consumers": "the sum of the contributions is divided by the root of their"
    " number",
}


#: candidates that are told as one mistake, where they predict the same
_ALIKE = {
    "recursion_without_visited": "again",
    "recursion_into_set": "again",
    "recursion_into_sorted_set": "again",
    "recursion_slot_by_slot": "again",
    "stack_without_visited": "again",
    "queue_without_visited": "again",
    "queue_of_waiting": "again",
    "stack_of_waiting": "again",
    "numbers_waiting": "again",
    "small_numbers_waiting": "again",
    "depth_first": "early",
    "depth_first_from_last": "early",
    "depth_first_slot_by_slot": "early",
    "stack": "early",
    "queue_marked_late": "early",
    "push_breadth_first": "early",
    "recursion_overwrites": "overwrites",
    "assigns": "overwrites",
    "assigns_reached": "overwrites",
    "assigns_by_depth": "overwrites",
    "push_overwrites": "overwrites",
}


def distinct(
    candidates: Mapping[str, np.ndarray], before: Mapping[str, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """Without those that predict what another one of the same kind does, here or ``before``."""
    out: dict[str, np.ndarray] = {}
    for name, x in candidates.items():
        first, _, rest = name.partition(" + ")
        kind = _ALIKE.get(first)
        others = [
            y
            for o, y in {**(before or {}), **out}.items()
            if o.partition(" + ")[2] == rest
            and kind is not None
            and _ALIKE.get(o.partition(" + ")[0]) == kind
        ]
        if not any(np.array_equal(x, y, equal_nan=True) for y in others):
            out[name] = x
    return out
