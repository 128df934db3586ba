"""The rooms of `check_denoiser`."""
