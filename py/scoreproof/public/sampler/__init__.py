"""The rooms of `check_sampler`."""
