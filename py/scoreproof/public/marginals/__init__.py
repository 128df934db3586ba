"""The rooms of `check_marginals`."""
