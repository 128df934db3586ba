"""The rooms of `check_normalizing_flow`."""
