"""The rooms of `check_corrector`."""
