"""The rooms of `check_backward`."""
