"""The rooms of `check_schedule`."""
