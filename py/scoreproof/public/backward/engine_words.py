"""What wrong engines are in words, and which of them need not be told apart."""

from __future__ import annotations

import numpy as np

from scoreproof.public.backward.walks import AGAIN, EARLY, WALKS

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
    "first_call_again": "the answer of the first call comes back in the second, although the"
    " partials are others: a cache that does not look at them",
    "visited_kept": "the set of visited nodes is kept from one call to the next (a mutable default"
    " argument, say): nodes of earlier calls are left out",
    "averaged_over_consumers": "contributions are averaged over the consumers of a node: they add"
    " up, they are not divided by their number",
    "divided_by_root_of_consumers": "the sum of the contributions is divided by the root of their"
    " number",
}


def distinct(candidates: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Without those that predict what another one of the same words does."""
    out: dict[str, np.ndarray] = {}
    for name, x in candidates.items():
        first, _, rest = name.partition(" + ")
        others = [o for o in out if o.partition(" + ")[2] == rest and _alike(first, o)]
        if not any(np.array_equal(x, out[o], equal_nan=True) for o in others):
            out[name] = x
    return out


def _alike(name: str, other: str) -> bool:
    other = other.partition(" + ")[0]
    return any(
        ending in ENGINE_REASONS.get(name, "") and ending in ENGINE_REASONS.get(other, "")
        for ending in (AGAIN, EARLY, "overwrites")
    )
