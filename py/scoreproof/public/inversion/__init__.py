"""The rooms of `check_inversion`."""
