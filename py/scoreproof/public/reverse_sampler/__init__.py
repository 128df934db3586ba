"""The rooms of `check_reverse_sampler`."""
