"""The rooms of `check_score`."""
