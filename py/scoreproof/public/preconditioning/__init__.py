"""``check_preconditioning``: c_skip, c_out, c_in and c_noise of a preconditioned network."""
