"""The rooms of `check_fokker_planck`."""
