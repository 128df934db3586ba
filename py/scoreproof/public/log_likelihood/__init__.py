"""The rooms of `check_log_likelihood`."""
