"""`check_variational_bound`: the terms of a diffusion model's or a VAE's evidence lower bound."""
