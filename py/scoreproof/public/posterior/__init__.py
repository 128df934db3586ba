"""What `check_denoiser` and `check_score` share: the law of y, where to look, what is due there."""
