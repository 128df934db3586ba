"""What a mistake of a bound is, in words, and what would make it right."""

from __future__ import annotations

__all__ = ["DIFFUSION", "OF_THE_WHOLE", "REASONS", "TABLE_REASONS", "VAE", "reasons"]

#: of what a tolerance is
OF_THE_WHOLE = " (the tolerance is of the whole sum: one term of it may be off by more)"
#: of L_T
PRIOR = {
    "x0_not_scaled": "L_T takes x_0 for the mean of q(x_T | x_0), which is √ᾱ_T x_0",
    "x0_scaled_twice": "L_T takes ᾱ_T x_0 for the mean of q(x_T | x_0), which is √ᾱ_T x_0",
    "variance_for_log_variance": "L_T takes 1 - ᾱ_T, a variance, for its log: pass log(1 - ᾱ_T)",
    "std_for_log_variance": "L_T takes √(1 - ᾱ_T) for a log of a variance: pass log(1 - ᾱ_T)",
    "log_std_for_log_variance": "L_T takes the log of the standard deviation for that of the"
    " variance: it is log(1 - ᾱ_T), without ½",
    "signal_for_variance": "L_T takes ᾱ_T for the variance of q(x_T | x_0), which is 1 - ᾱ_T",
    "mean_not_squared": "√ᾱ_T stands where ᾱ_T is due before x_0² in L_T: the mean √ᾱ_T x_0 is"
    " squared",
    "another_end": "L_T is taken at t = T - 2; the last timestep is T - 1",
    "at_the_first_step": "L_T is taken at t = 0; the last timestep is T - 1",
}
KL = {
    "swapped": "the arguments of the KL are exchanged: each term is KL(q‖p), with the forward"
    " process's q first and the model's p second",
    "no_half": "the factor ½ of the KL is missing",
    "one_missing": "the -1 (in ½(-1 + …), one for each dimension) is missing in the KL",
    "log_sign": "the log of the ratio of the variances has the wrong sign in the KL: it is"
    " + log σ_p² - log σ_q²",
    "log_missing": "the log of the ratio of the variances is missing in the KL",
    "log_halved": "the log of the ratio of the variances is halved once too often in the KL: inside"
    " of ½(…) it is that of variances, not of standard deviations",
    "square_over_q": "the square of the means' difference is divided by q's variance; p's, the"
    " second one's, is due",
    "square_over_std": "the square of the means' difference is divided by a standard deviation; the"
    " variance of p is due",
    "square_not_halved": "the square of the means' difference lacks its ½ in the KL",
    "mean_missing": "the means are not compared: (μ_q - μ_p)² / σ_p² is missing in the KL",
    "variances_missing": "only the means are compared: the KL of two variances,"
    " ½(σ_q²/σ_p² - 1 - log σ_q²/σ_p²), is missing",
    "ratio_upside_down_in_kl": "the ratio of the variances is upside down in the KL: σ_q²/σ_p² is"
    " due",
    "square_alone": "it is the square of the means' difference alone: a KL divides it by 2 σ_p²",
    "square_halved_alone": "it is half the square of the means' difference alone: a KL divides it"
    " by σ_p²",
}
WHERE = {"": "q and p", "_in_q": "q(x_{t-1} | x_t, x_0)", "_in_p": "p(x_{t-1} | x_t)"}
#: of a law's table, with a place for whose
TABLE_REASONS = {
    "no_shift_of_c0": "the coefficient of x_0 in the mean of {} has ᾱ_t where ᾱ_{{t-1}} is due:"
    " β_t √ᾱ_{{t-1}} / (1 - ᾱ_t)",
    "no_shift_of_ct": "the coefficient of x_t in the mean of {} has ᾱ_t where ᾱ_{{t-1}} is due:"
    " (1 - ᾱ_{{t-1}}) √α_t / (1 - ᾱ_t)",
    "no_shift": "the mean of {} is made with ᾱ_t where ᾱ_{{t-1}} is due, in β_t √ᾱ_{{t-1}} / (1 -"
    " ᾱ_t) and (1 - ᾱ_{{t-1}}) √α_t / (1 - ᾱ_t)",
    "c0_without_root": "the coefficient of x_0 in the mean of {} has ᾱ_{{t-1}} where its root is"
    " due: β_t √ᾱ_{{t-1}} / (1 - ᾱ_t)",
    "ct_without_root": "the coefficient of x_t in the mean of {} has α_t where its root is due:"
    " (1 - ᾱ_{{t-1}}) √α_t / (1 - ᾱ_t)",
    "bar_for_alpha": "the coefficient of x_t in the mean of {} has √ᾱ_t where √α_t is due:"
    " (1 - ᾱ_{{t-1}}) √α_t / (1 - ᾱ_t)",
    "alpha_in_c0": "the coefficient of x_0 in the mean of {} has √α_t where √ᾱ_{{t-1}} is due:"
    " β_t √ᾱ_{{t-1}} / (1 - ᾱ_t)",
    "root_of_rest": "the coefficients of the mean of {} are divided by √(1 - ᾱ_t) where 1 - ᾱ_t is"
    " due",
    "coefficients_exchanged": "the coefficients of x_0 and x_t are exchanged in the mean of {}",
    "beta_for_posterior_variance": "the variance of {} is β_t where β̃_t = β_t (1 - ᾱ_{{t-1}}) /"
    " (1 - ᾱ_t) is due",
    "rest_for_posterior_variance": "the variance of {} is 1 - ᾱ_t where β̃_t = β_t (1 - ᾱ_{{t-1}})"
    " / (1 - ᾱ_t) is due",
    "not_over_rest": "the variance of {} is not divided by 1 - ᾱ_t: β̃_t = β_t (1 - ᾱ_{{t-1}}) /"
    " (1 - ᾱ_t)",
    "ratio_upside_down": "the variance of {} has its ratio upside down: β̃_t = β_t (1 - ᾱ_{{t-1}})"
    " / (1 - ᾱ_t)",
    "std_for_variance": "the variance of {} is the root of what is due: a standard deviation where"
    " a variance is meant",
    "variance_squared": "the variance of {} is the square of what is due: a variance where a"
    " standard deviation is meant",
    "variance_for_its_log": "the variance of {} goes in where its log is meant: pass log β̃_t",
    "tables_one_later": "the tables of {} are read at t + 1",
    "tables_one_earlier": "the tables of {} are read at t - 1",
}
#: of p alone, of decoders, of units and of the whole
OTHER = {
    "small_for_large": "the variance of p(x_{t-1} | x_t) is β̃_t where β_t is declared"
    " (variance='fixed_small'?)",
    "large_for_small": "the variance of p(x_{t-1} | x_t) is β_t where β̃_t is declared"
    " (variance='fixed_large'?)",
    "clipped_at_a_floor": "the log of the posterior variance at t = 0, where that is 0, is clipped"
    " at a tiny number: posterior_log_variance_clipped has log β̃_1 there",
    "weight_bar_for_alpha": "the weight of |ε - ε̂|² has ᾱ_t where α_t is due: β_t² / (2 σ_t² α_t"
    " (1 - ᾱ_t))",
    "weight_without_alpha": "the weight of |ε - ε̂|² is not divided by α_t: β_t² / (2 σ_t² α_t"
    " (1 - ᾱ_t))",
    "weight_without_rest": "the weight of |ε - ε̂|² is not divided by 1 - ᾱ_t: β_t² / (2 σ_t² α_t"
    " (1 - ᾱ_t))",
    "weight_of_beta": "the weight of |ε - ε̂|² has β_t where its square is due: β_t² / (2 σ_t² α_t"
    " (1 - ᾱ_t))",
    "weight_of_std": "the weight of |ε - ε̂|² is divided by σ_t where σ_t² is due: β_t² / (2 σ_t²"
    " α_t (1 - ᾱ_t))",
    "weight_of_root_of_rest": "the weight of |ε - ε̂|² is divided by √(1 - ᾱ_t) where 1 - ᾱ_t is"
    " due: β_t² / (2 σ_t² α_t (1 - ᾱ_t))",
    "weight_one_later": "the weight is taken at t + 1: ½ (SNR(t) - SNR(t+1)) |x_0 - x̂_0|² stands"
    " where ½ (SNR(t-1) - SNR(t)) |x_0 - x̂_0|² is due",
    "weight_of_1": "it is |ε - ε̂|², of the simple loss: the weight β_t² / (2 σ_t² α_t (1 - ᾱ_t)) is"
    " missing",
    "weight_of_half": "it is ½ |ε - ε̂|²: the weight β_t² / (2 σ_t² α_t (1 - ᾱ_t)) is missing",
    "weight_of_x0": "the weight of |x_0 - x̂_0|² stands before |ε - ε̂|²: β_t² / (2 σ_t² α_t"
    " (1 - ᾱ_t)) is due",
    "range_reversed": "a learned range runs the other way round: v = 1 is log β_t, v = -1 is"
    " log β̃_t",
    "range_from_0": "what the model says of a learned range is not brought from [-1, 1] to [0, 1]:"
    " (v + 1) / 2 is due",
    "range_clipped": "what the model says of a learned range is clipped to [0, 1]: (v + 1) / 2 is"
    " due",
    "range_of_sigmoid": "what the model says of a learned range goes through a sigmoid:"
    " (v + 1) / 2 is due",
    "range_of_variances": "a learned range interpolates variances: their logs are due",
    "bins_of_256": "a bin of L_0 is 1/256 to either side: of 256 numbers in [-1, 1] it is 1/255",
    "bins_twice": "a bin of L_0 is 2/255 to either side, its whole width: 1/255 is due",
    "bins_halved": "a bin of L_0 is 1/510 to either side, as for data in [0, 1]: 1/255 is due",
    "bins_of_127": "a bin of L_0 is 1/127 to either side: 1/255 is due",
    "bins_of_128": "a bin of L_0 is 1/128 to either side: 1/255 is due",
    "edges_closed": "the outer bins of L_0 end at ∓1/255 beyond -1 and 1: at x = -1 all below, at"
    " x = 1 all above belongs to the bin",
    "variance_for_its_root": "the decoder of L_0 takes a variance for the standard deviation:"
    " log_scales is ½ log σ²",
    "root_of_the_std": "the decoder of L_0 halves the log of the standard deviation once more:"
    " log_scales is ½ log σ²",
    "tanh_cdf": "the cumulative function of the decoder is the approximation by tanh, as"
    " approx_standard_normal_cdf: accept it by tolerance=0.05, or take erf",
    "gaussian_decoder": "L_0 is the log of a density where the probability of a bin of 2/255 is"
    " due (decoder='gaussian'?)",
    "discretized_decoder": "L_0 is the probability of a bin where a density is due"
    " (decoder='discretized'?)",
    "decoder_in_bits": "L_0 is in bits and the KL of t > 0 in nats: both in one unit are due",
    "decoder_in_nats": "L_0 is in nats and the KL of t > 0 in bits: both in one unit are due",
    "decoder_sign": "L_0 has the wrong sign: it is -log p(x_0 | x_1), positive",
    "never_decoded": "at t = 0 it is a KL where L_0 = -log p(x_0 | x_1) is due",
    "decoded_at_1": "L_0 is taken at t = 1 where t = 0 is the last step",
    "the_first_row_decides": "the first row of a batch decides for all whether it is L_0: choose"
    " row by row, where(t == 0, …)",
    "decoded_up_to_1": "L_0 is taken at t = 1 as well: t = 0 alone is the last step",
    "decoded_everywhere": "L_0 is taken at every t: at t > 0 it is KL(q‖p)",
    "decoded_at_the_end": "L_0 is taken at t = T - 1: t = 0 is the last step of sampling",
    "nats_for_bits": "it is in nats where bits are due: divide by log 2",
    "bits_for_nats": "it is in bits where nats are due (units='bits_per_dim'?)",
    "times_log_2": "it is multiplied by log 2 where bits ask for a division",
    "sum_for_mean": "it is summed over the dimensions where their mean is due",
    "mean_for_sum": "it is averaged over the dimensions where their sum is due",
    "sum_in_nats": "it is in nats, summed over the dimensions, where bits per dimension are due:"
    " divide by d log 2",
    "sign": "it has the wrong sign: a term of the loss is positive, -log p or a KL",
    "prior_missing": "L_T is missing in the sum",
    "prior_over_steps": "L_T is divided by T, as if it were one of the T terms averaged",
    "mean_over_steps": "the terms are averaged over t: their sum is due, T times the mean",
    "steps_missing": "it is L_T alone: the terms of t are missing",
    "no_steps_factor": "the factor T is missing: an estimate of a sum from one t is T times its"
    " term",
    "importance_missing": "the weights of an importance-sampled t are missing: where t is drawn by"
    " p(t), L_t is divided by p(t), not multiplied by T",
    "alone_of_all": "it is the term of the t that was drawn, alone: where t is drawn by p(t), L_t"
    " is divided by p(t)",
    "one_step_less": "the factor is T - 1 where T is due: there are T terms, L_0 among them",
    "prior_times_steps": "L_T is multiplied by T as well: it is one term, not one for each t",
    "prior_twice": "L_T is in the sum twice",
    "sum_in_other_units": "L_T is in nats and the other terms in bits",
}
REASONS = PRIOR | KL | OTHER


def reasons() -> dict[str, str]:
    """All of them by name."""
    found = dict(REASONS)
    for suffix, who in WHERE.items():
        found |= {f"{name}{suffix}": text.format(who) for name, text in TABLE_REASONS.items()}
    return found


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
