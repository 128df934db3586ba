"""What a mistake is in words, of a diffusion loss in continuous time and of a VAE's bound."""

from __future__ import annotations

__all__ = ["DIFFUSION", "OF_THE_WHOLE", "VAE"]

#: of what a tolerance is
OF_THE_WHOLE = " (the tolerance is of the whole sum: one term of it may be off by more)"
#: of the diffusion loss in continuous time
DIFFUSION = {
    "diffusion_no_half": "the factor ½ is missing: the weight of |ε - ε̂|² is ½ γ'(t), or ½ T"
    " (exp(γ(t) - γ(s)) - 1)",
    "diffusion_half_twice": "the factor ½ stands twice: the weight of |ε - ε̂|² is ½ γ'(t)",
    "rate_sign": "the weight is negative: γ = -log SNR rises with t, and log SNR falls, so that it"
    " is -½ (log SNR)'",
    "rate_missing": "γ'(t) is missing: it is ½ |ε - ε̂|², and the weight is ½ γ'(t)",
    "weight_one": "γ'(t) is missing: it is |ε - ε̂|², of the simple loss, and the weight is ½ γ'(t)",
    "snr_rate": "the weight is that of |x - x̂|², -½ SNR'(t): of |ε - ε̂|² it is ½ γ'(t)",
    "snr_rate_negative": "the weight is ½ SNR'(t), negative and that of |x - x̂|²: of |ε - ε̂|² it is"
    " ½ γ'(t)",
    "gamma_for_its_rate": "γ(t) stands where its derivative is due: ½ γ'(t) |ε - ε̂|²",
    "steps_missing_in_diffusion": "the factor T is missing: ½ T (exp(γ(t) - γ(s)) - 1) |ε - ε̂|²",
    "order_of_s_and_t": "s and t are exchanged: exp(γ(t) - γ(s)) - 1 is SNR(s)/SNR(t) - 1, positive"
    " for s < t",
    "negative_of_s_and_t": "s and t are exchanged, and the sign: ½ T (1 - exp(γ(s) - γ(t))) stands"
    " where ½ T (exp(γ(t) - γ(s)) - 1) is due",
    "before_the_square_of_x0": "the weight of |ε - ε̂|² stands before |x_0 - x̂_0|²: SNR(t) is"
    " missing, -½ SNR'(t) = ½ γ'(t) SNR(t) is due",
    "half_before_the_square_of_x0": "it is ½ |x_0 - x̂_0|²: the weight -SNR'(t) = γ'(t) SNR(t) is"
    " missing",
    "before_the_square_of_v": "the weight of |ε - ε̂|² stands before |v - v̂|²: α² is missing,"
    " ½ γ'(t) α² is due (where α² + σ² = 1)",
    "half_before_the_square_of_v": "it is ½ |v - v̂|²: the weight γ'(t) α² is missing (where α² + σ²"
    " = 1)",
    "before_the_square_of_the_score": "the weight of |ε - ε̂|² stands before the square of the"
    " score: σ² is missing, ½ γ'(t) σ² is due, which is ½ g²",
    "half_before_the_square_of_the_score": "it is ½ the square of the score: the weight"
    " γ'(t) σ² = g² is missing",
    "g_for_its_square": "g stands where g² is due before the square of the score: ½ g² |s - ŝ|²,"
    " with g² = γ'(t) σ²",
    "snr_order": "the difference of the SNRs has the wrong sign: SNR(s) - SNR(t), positive for"
    " s < t",
    "exp_for_expm1": "the -1 is missing: ½ T (exp(γ(t) - γ(s)) - 1) |ε - ε̂|²",
    "rise_for_expm1": "γ(t) - γ(s) stands where exp(γ(t) - γ(s)) - 1 is due",
    "continuous_for_steps": "it is the continuous weight ½ γ'(t) where that of T steps is due,"
    " ½ T (exp(γ(t) - γ(s)) - 1)",
    "steps_not_declared": "it is the loss of so many steps, ½ T (exp(γ(t) - γ(s)) - 1) |ε - ε̂|²"
    " (steps=T?)",
    "snr_difference": "the weight is that of |x - x̂|², ½ T (SNR(s) - SNR(t)): of |ε - ε̂|² it is"
    " ½ T (exp(γ(t) - γ(s)) - 1)",
    "one_step_later": "the weight is taken at t and t + 1/T: at s = t - 1/T and t it is due",
}
#: of a VAE's
VAE = {
    "sign": "it has the wrong sign: the loss is -ELBO, and the ELBO itself is negative (call it"
    " elbo)",
    "elbo_in_bits": "it is in bits where nats are due (units='bits_per_dim'?)",
    "elbo_per_dimension": "it is divided by the number of entries of x",
    "decoder_sign": "-log p(x | z) has the wrong sign",
    "square_without_half": "it is |x - x̂|² / σ² for -log p(x | z): that is |x - x̂|² / (2 σ²) +"
    " d/2 log(2π σ²); without ½ and constant it is a decoder of σ² = ½, but for a constant",
    "square_and_constant_without_half": "the ½ is missing before the square: |x - x̂|² / (2 σ²)",
    "square_alone": "it is the square |x - x̂|² alone for -log p(x | z): that is |x - x̂|² / (2 σ²) +"
    " d/2 log(2π σ²)",
    "no_square": "the square is missing in -log p(x | z): |x - x̂|² / (2 σ²)",
    "two_pi_missing": "the 2π is missing in -log p(x | z): d/2 log(2π σ²)",
    "constant_doubled": "the constant of -log p(x | z) stands twice: d/2 log(2π σ²)",
    "constant_missing": "the constant d/2 log(2π σ²) of -log p(x | z) is missing"
    " (decoder='gaussian_up_to_constant'?)",
    "unit_variance": "σ is 1 in -log p(x | z), where decoder_std is another",
    "std_for_variance": "σ stands where σ² is due in -log p(x | z): |x - x̂|² / (2 σ²)",
    "decoder_mean": "-log p(x | z) is averaged over the entries of x and the KL summed: sum both"
    " over a sample",
    "mean_square": "the mean square over the entries of x stands for -log p(x | z) beside a KL that"
    " is summed: sum both over a sample",
    "mean_of_the_whole": "-log p(x | z) is averaged over batch and entries and the KL is not: sum"
    " both over a sample",
    "mean_square_of_the_whole": "the mean square over batch and entries (reduction='mean') stands"
    " for -log p(x | z) beside a KL that is summed: sum both over a sample",
    "square_for_cross_entropy": "it is a square where the cross-entropy of a Bernoulli is due",
    "cross_entropy_exchanged": "x and its reconstruction are exchanged in the cross-entropy: it is"
    " -x log(p) - (1 - x) log(1 - p), binary_cross_entropy(recon, x)",
    "half_of_the_cross_entropy": "(1 - x) log(1 - p) is missing in the cross-entropy",
    "sigmoid_twice": "the sigmoid is taken twice: what comes in is a logit, and"
    " binary_cross_entropy_with_logits takes it as it is",
    "kl_sign": "the KL has the wrong sign: -ELBO is -log p(x | z) + KL",
    "kl_no_half": "the ½ of the KL is missing",
    "kl_halved_again": "the KL is halved twice",
    "kl_one_missing": "the -1 (in ½(μ² + σ² - 1 - log σ²), one for each entry of z) is missing in"
    " the KL",
    "kl_log_sign": "the log of the variance has the wrong sign in the KL: ½(μ² + σ² - 1 - log σ²)",
    "kl_of_log_std": "logvar is taken for the log of the standard deviation in the KL",
    "kl_std_for_variance": "exp(½ logvar) stands where exp(logvar) is due in the KL",
    "kl_mean_not_squared": "the mean is not squared in the KL",
    "kl_mean": "the KL is averaged over the entries of z and -log p(x | z) summed: sum both over a"
    " sample",
    "kl_mean_of_the_whole": "the KL is averaged over batch and entries of z and -log p(x | z) is"
    " not: sum both over a sample",
    "kl_missing": "the KL is missing",
    "kl_variance_squared": "exp(2 logvar) stands where exp(logvar) is due in the KL: logvar is the"
    " log of a variance there",
    "kl_log_doubled": "2 logvar stands where logvar is due in the KL: it is the log of a variance",
    "kl_summed_over_batch": "the KL is summed over the batch and -log p(x | z) is averaged: average"
    " both, or sum both",
    "kl_averaged_over_batch": "the KL is averaged over the batch and -log p(x | z) is summed: sum"
    " both, or average both",
    "bernoulli_logits_for_it": "it is the cross-entropy of logits where a Gaussian's -log p(x | z)"
    " is due (decoder='bernoulli_logits'?)",
    "kl_swapped": "the arguments of the KL are exchanged: it is KL(q(z | x) ‖ p(z))",
}
