"""The rooms of `check_path_kl`."""
