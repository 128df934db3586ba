"""The causes of a wrong log_det, and of a wrong inverse, in words."""

from __future__ import annotations

__all__ = ["OF_INVERSES", "REASONS"]

OF_SUMS = {
    "sign": "log_det has the wrong sign, it is that of the way back, log |det ∂x/∂z|; return"
    " -log_det, or turn the sign of the scale in one of the two",
    "missing": "the layer's own log-determinant is missing from what is returned; it is no"
    " volume-preserving map: add it",
    "half": "log_det is half of what is due: log σ² is twice log σ, and a scale exp(s) has log_det"
    " s, not s/2",
    "twice": "log_det is twice what is due: it is added twice, or is that of the squared scale",
    "mean_over_dims": "log_det is averaged over the coordinates, where the sum is due:"
    " .sum(-1), not .mean(-1)",
    "mean_over_transformed": "log_det is averaged over the coordinates that are transformed, where"
    " the sum is due: .sum(-1), not .mean(-1)",
    "mean_over_half": "log_det of each layer is averaged over the half that it scales, where the"
    " sum is due: .sum(-1), not .mean(-1)",
    "summed_over_batch": "log_det is summed over the rows of the batch as well, each row gets the"
    " sum of all: sum over all axes but the first",
    "averaged_over_batch": "log_det is averaged over the rows of the batch, each row gets the mean:"
    " keep one number a row",
    "no_log": "it is |det J| itself: take its logarithm",
    "inverse_determinant": "it is 1/|det J| itself: take its logarithm, and turn the sign",
    "at_z": "log_det is evaluated at z, where x is due: the Jacobian is that of the map at its"
    " argument, so use the scale before x is overwritten",
    "inverse_at_x": "it is the inverse's log_det, taken at x as if that were z; forward's is minus"
    " the inverse's at z = f(x)",
    "pixels": "the factor H·W is missing: a map of the channels acts at each pixel, so that its"
    " log |det W| counts H·W times",
    "pixels_twice": "the factor H·W is there twice: log_det was summed over the pixels already",
    "one_axis": "only one of the factors H and W is there: a map of the channels acts at each of"
    " H·W pixels",
    "channels_only": "log_det is divided by the number of channels: sum over the channels as well",
    "diagonal_only": "log_det is the sum of log |∂z_i/∂x_i|, but the Jacobian is not triangular:"
    " its other entries count. A coupling must not read the half that it transforms, an"
    " autoregressive net not its own input nor later ones: mend the masks, or their order",
    "wrong_sign_of_part": "log_det has the wrong sign where the scale is below 1: |log s| in place"
    " of log |s|",
}

OF_SCALES = {
    "not_logged": "log_det is the sum of the scales themselves, where that of their logarithms is"
    " due: Σ s for z = x exp(s), Σ log |s| for z = s x",
    "not_logged_sign": "log_det is minus the sum of the scales themselves, where that of their"
    " logarithms is due",
    "sigmoid_shift": "the scale is sigmoid(s + 2), and log_det that of sigmoid(s): take log-sigmoid"
    " of the same number",
    "sigmoid_shift_back": "the scale is sigmoid(s), and log_det that of sigmoid(s + 2): take"
    " log-sigmoid of the same number",
    "sigmoid_raw": "the scale is sigmoid(s), and log_det the sum of s: log sigmoid(s) is due",
    "sigmoid_raw_shifted": "the scale is sigmoid(s + 2), and log_det the sum of s: log sigmoid(s +"
    " 2) is due",
    "softplus_raw": "the scale is softplus(s), and log_det the sum of s: log softplus(s) is due",
    "tanh_raw": "the scale is exp(tanh(s)), and log_det the sum of s: the sum of tanh(s) is due",
    "tanh_twice": "tanh is applied twice: log(1 - tanh(z)²) where z is tanh(x) already: log(1 -"
    " z²)",
    "no_square": "log(1 - z) in place of log(1 - z²) of z = tanh(x)",
    "tanh_of_x": "log(1 - x²) in place of log(1 - tanh(x)²)",
    "softplus_factor": "log 2 - x - softplus(-2x) is half of log(1 - tanh(x)²): the factor 2 is"
    " missing",
    "softplus_sign": "softplus(2x) in place of softplus(-2x) in 2 (log 2 - x - softplus(-2x))",
    "softplus_argument": "softplus(-x) in place of softplus(-2x) in 2 (log 2 - x - softplus(-2x))",
    "no_log_2": "the log 2 is missing in 2 (log 2 - x - softplus(-2x))",
    "log_sigmoid_only": "log σ(x) alone, where log σ(x) + log(1 - σ(x)) is due of a sigmoid",
    "log_one_minus_sigmoid_only": "log(1 - σ(x)) alone, where log σ(x) + log(1 - σ(x)) is due of a"
    " sigmoid",
    "sigmoid_softplus_factor": "-x - softplus(-x), where -x - 2 softplus(-x) is due of a sigmoid",
    "sigmoid_softplus_sign": "-x + 2 softplus(-x), where -x - 2 softplus(-x) is due of a sigmoid",
    "slope_elsewhere": "the slope is counted where it is 1, and not where the map has it: a leaky"
    " ReLU has log_det log(slope) for x < 0",
    "slope_not_logged": "the slopes themselves are summed, where their logarithms are due",
    "everywhere": "log(slope) is counted for every coordinate, also where the slope is 1",
    "logit_as_if_unscaled": "-log x - log(1 - x) of x itself, where it is squeezed to α + (1 - 2α)"
    " x before the logit: take it of the squeezed one, and add log(1 - 2α)",
}

OF_FORMS = {
    "planar_no_h_prime": "h' is missing from log |1 + uᵀψ|: ψ(x) = h'(wᵀx + b) w, with h' = 1 -"
    " tanh² for tanh",
    "planar_tanh_as_h_prime": "ψ is tanh(wᵀx + b) w, where h'(wᵀx + b) w is due: h' = 1 - tanh²",
    "planar_no_square": "h' is 1 - tanh, where 1 - tanh² is due, in ψ(x) = h'(wᵀx + b) w",
    "planar_tanh_twice": "h' is 1 - tanh(tanh(wᵀx + b))²: tanh is applied twice; 1 - tanh² is due",
    "planar_no_bias": "the bias b is left out of h': ψ(x) = h'(wᵀx + b) w is due, h'(wᵀx) w is"
    " taken",
    "planar_bias_sign": "the bias b has the wrong sign in h': ψ(x) = h'(wᵀx + b) w is due, h'(wᵀx -"
    " b) w is taken",
    "planar_other_u": "uᵀw is that of another u or w than z = x + u h(wᵀx + b) takes: use the same"
    " in both (û where u is constrained)",
    "planar_no_one": "log |uᵀψ| in place of log |1 + uᵀψ|",
    "planar_sign": "log |1 - uᵀψ| in place of log |1 + uᵀψ|",
    "radial_power": "(1 + βh) to the power d, where d - 1 is due, beside 1 + βh + βh'r",
    "radial_once": "1 + βh counts once, where it counts d - 1 times, beside 1 + βh + βh'r",
    "radial_last": "the factor 1 + βh + βh'r of the radial direction is missing",
    "radial_only": "(1 + βh)^(d-1) is missing, beside 1 + βh + βh'r",
}

REASONS = OF_SUMS | OF_SCALES | OF_FORMS

OF_INVERSES = {
    "forward_again": "the inverse runs forward once more: turn the order, the signs and the"
    " permutation around",
    "nothing_done": "the inverse returns z as it is",
    "scale_sign": "the inverse multiplies by the scale, where it has to divide: (z - t) exp(-s) for"
    " z = x exp(s) + t",
    "shift_after": "the inverse divides first and then takes t away, z exp(-s) - t: (z - t) exp(-s)"
    " is due for z = x exp(s) + t",
    "shift_sign": "the inverse adds t, where it has to take it away: (z - t) exp(-s) for z = x"
    " exp(s) + t",
    "shift_first": "the inverse takes the shift away before it divides, (z - t)/a: z/a - t is due"
    " for z = (x + t) a",
    "scale_sign_after": "the inverse multiplies by the scale, where it has to divide, and takes t"
    " away after that: (z - t) exp(-s) is due for z = x exp(s) + t",
    "scale_sign_of_sum": "the inverse multiplies by the scale, where it has to divide: z/a - t is"
    " due for z = (x + t) a",
    "shift_missing": "the inverse does not take t away: (z - t) exp(-s) is due for z = x exp(s)"
    " + t",
    "scale_missing": "the inverse does not divide by the scale: (z - t) exp(-s) is due for z = x"
    " exp(s) + t",
    "transposed": "the inverse multiplies by the transposed matrix, which is the inverse of an"
    " orthogonal one only: solve with the matrix",
    "bias_left": "the inverse does not take the bias away before it solves",
    "matrix_again": "the inverse multiplies by the matrix itself, not by its inverse",
    "permutation_again": "the inverse permutes forward once more: index with np.argsort(order), the"
    " inverse permutation",
    "clipped": "what the inverse returns is clipped: forward takes x beyond that, so that they do"
    " not come back",
}
