"""The rooms of `check_kl`."""
