"""The known faults of a divergence of paths, in words: what the code does, and what is due.

Conventions: u is g⁻¹(a - b) of drifts, the control itself, gᵀ(s0 - s1) of scores.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.path_kl.arguments import Job

__all__ = ["plainly", "reasons", "title"]

OF_U = {
    "noise_multiplied": "the difference of the drifts is multiplied by g: divide by it, u = g⁻¹(a -"
    " b)",
    "noise_left_out": "the noise is left out of u: u = g⁻¹(a - b), and |u|² = |a - b|²/g²",
    "noise_twice": "it divides by g once too often: u = g⁻¹(a - b), and |u|² has g² below, not g⁴",
    "transposed": "g is transposed: u solves g u = a - b, not gᵀ u = a - b",
    "only_p": "the second drift is left out: u = g⁻¹(a - b), not g⁻¹a",
    "only_q": "the first drift is left out: u = g⁻¹(a - b), not g⁻¹b",
    "drifts_added": "the drifts are added: u = g⁻¹(a - b)",
    "only_the_diagonal": "of the matrix g only the diagonal is used: solve g u = a - b",
    "next_time": "u is taken at x of one step and the time of the next: take t_k with x_k",
    "noise_of_the_next_time": "g is taken at the next time: take g(x_k, t_k) with drifts at t_k",
    "drifts_of_the_next_time": "the drifts are taken at the next time: take a(x_k, t_k) and b(x_k,"
    " t_k)",
    "time_reversed": "the times run the other way: x_k belongs to t_k, not to t_(K - k)",
    "time_mirrored": "the times run the other way: x_k belongs to t_k, not to T - t_k",
    "noise_time_reversed": "the times of g run the other way: take g(t_k) with x_k",
    "index_for_time": "drifts and noise are told the number k of the step: tell them the time t_k",
    "noise_of_the_start": "g is that of the first time throughout: take g(t_k)",
    "prior_at_the_next_time": "the second drift is taken at the next time: both are due at t_k",
    "next_place": "u is taken at the place of the next step and the time of this one: take x_k with"
    " t_k",
    "noise_of_the_next_place": "g is taken at the place of the next step: take g(x_k, t_k) with"
    " drifts at x_k",
    "drifts_of_the_next_place": "the drifts are taken at the place of the next step and the time of"
    " this one: take a(x_k, t_k) and b(x_k, t_k)",
    "prior_at_the_next_place": "the second drift is taken at the place of the next step: both are"
    " due at x_k",
    "first_place": "u is taken at the first place x_0 throughout: take x_k with t_k",
    "noise_of_the_first_place": "g is taken at the first place x_0 throughout: take g(x_k, t_k)",
    "drifts_of_the_first_place": "the drifts are taken at the first place x_0 throughout: take"
    " a(x_k, t_k) and b(x_k, t_k)",
    "drifts_linearised_at_the_start": "the drifts are linearised at the first place x_0: take"
    " a(x_k, t_k) and b(x_k, t_k) themselves",
    "all_of_the_first_place": "the drifts are linearised, and g is taken, at the first place x_0:"
    " take all at x_k",
    "scores_alone": "the difference of the scores is not multiplied by g: |u|² = g² |s0 - s1|²",
    "scores_of_p_alone": "the second score is left out: |u|² = g² |s0 - s1|²",
}
SUMS = {
    "half_missing": "the factor ½ of ½ ∫|u|² dt is missing: halve it",
    "half_twice": "∫|u|² dt is multiplied by ¼ where ½ is due: double it",
    "dt_missing": "the squares |u|² are summed without dt: multiply each by its step dt",
    "root_of_dt": "the squares |u|² are multiplied by √dt: multiply by dt",
    "dt_squared": "the squares |u|² are multiplied by dt²: multiply by dt",
    "mean_over_coordinates": "it takes the mean over the coordinates: sum over them",
    "mean_of_squares_over_coordinates": "|u|² is the mean over the coordinates: sum over them",
    "mean_over_steps": "the squares are averaged over the steps: multiply by the length of time T,"
    " or sum |u|² dt",
    "mean_of_terms_over_steps": "the terms are averaged over the steps: sum them",
    "last_step_left_out": "the last step is left out: K + 1 times have K steps",
    "first_step_left_out": "the first step is left out: begin with x_0 and t_0",
    "last_step_twice": "the last step is counted twice: K + 1 times have K steps",
    "first_step_twice": "the first step is counted twice: K + 1 times have K steps",
    "first_width_for_all": "every step has the width of the first, t[1] - t[0]: take t[k + 1]"
    " - t[k]",
    "one_width_too_many": "dt is T/(K + 1), of one step too many: K + 1 times have K steps, dt ="
    " T/K",
    "energy_subtracted": "½ ∫|u|² dt has the wrong sign: with P's noise dW, log dP/dQ = ∫ u·dW + ½"
    " ∫|u|² dt",
    "whole_sign": "the sign of the whole is wrong: it is log dQ/dP where log dP/dQ is due; if that"
    " is meant, name the drifts the other way round by given=",
    "steps_of_one": "dt is left out of both terms: dW = √dt z, and ½|u|² is multiplied by dt",
    "ito_subtracted": "∫ u·dW has the wrong sign: with P's noise dW, log dP/dQ = ∫ u·dW + ½ ∫|u|²"
    " dt",
    "ito_left_out": "∫ u·dW is left out: its mean under P is 0, but the weight of a path needs it",
    "energy_left_out": "½ ∫|u|² dt is left out",
    "noise_of_q": "dW is Q's noise, g⁻¹(dx - b dt), with the sign that P's asks for: take g⁻¹(dx -"
    " a dt), or subtract ½ ∫|u|² dt",
    "increments_for_noise": "the increments dx stand for the noise: dW = g⁻¹(dx - a dt)",
    "z_for_dw": "the standard normal z stands for dW: dW = √dt z",
    "dt_for_dw": "dW is multiplied by √dt once too often: dW = √dt z",
    "ito_at_the_right": "u is taken at the right end of each step in ∫ u·dW: Itô's integral takes"
    " the left end",
    "ito_in_the_middle": "u is the mean of both ends of each step in ∫ u·dW (Stratonovich): Itô's"
    " integral takes the left end",
    "length_for_square": "it sums the length |u| where |u|² is due",
    "root_of_noise": "|a - b|² is divided by g: divide by g²",
    "cube_of_noise": "|a - b|² is divided by g³: divide by g²",
    "paths_of_the_other": "the paths are those of the other law: KL(P‖Q) is a mean along paths of"
    " P, dX = a dt + g dW, the first drift",
    "reversed_along_the_other": "it is log dP/dQ along paths of Q, the second drift: pass"
    ' simulated="Q", if that is meant',
    "noise_by_dt": "the noise of its paths is multiplied by dt: by √dt",
    "noise_by_one": "the noise of its paths is not multiplied by √dt",
    "drifts_linearised_at_the_start_in_the_paths": "the drifts are linearised at the first place"
    " x_0, in the paths and in u: take a(x_k, t_k) and b(x_k, t_k) themselves",
    "noise_of_the_first_place_in_the_paths": "g is taken at the first place x_0 throughout, in the"
    " paths and in u: take g(x_k, t_k)",
    "initial_left_out": "the law at the start is left out: add KL(p0‖q0), or log p0 - log q0",
    "initial_subtracted": "the term of the start has the wrong sign: add KL(p0‖q0), or log p0 - log"
    " q0",
    "initial_reversed": "KL of the laws at the start is KL(q0‖p0): KL(p0‖q0) is due",
    "boundary_left_out": "the divergence at the end of time that it is handed is left out: add it",
    "boundary_subtracted": "the divergence that it is handed is subtracted: add it",
    "terminal_left_out": "the terminal cost is left out: add it at x_T",
    "terminal_subtracted": "the terminal cost is subtracted: add it at x_T",
    "sum_over_batch": "it sums over the batch: take the mean over the paths",
    "mean_over_batch": "it divides by the size of the batch once too often",
}
NEGATIVE = "the whole has the wrong sign: a divergence is not negative"
OF_P = 'it is log dP/dQ along paths of P, the first drift: pass simulated="P", if that is meant'
CONTROL = {
    "noise_twice": "the control is divided by g: it is u itself, and |u|² stands alone",
    "noise_left_out": "the control is multiplied by g: it is u itself, and |u|² stands alone",
}
SCORES = {
    "noise_twice": "|s0 - s1|² has no g²: ½ ∫ g² E|s0 - s1|² dt",
    "noise_left_out": "|s0 - s1|² is multiplied by g⁴: by g²",
    "root_of_noise": "|s0 - s1|² is multiplied by g³: by g²",
    "cube_of_noise": "|s0 - s1|² is multiplied by g: by g²",
    "noise_multiplied": "|s0 - s1|² is multiplied by g⁶: by g²",
    "only_p": "the second score is left out: |u|² = g² |s0 - s1|²",
}


def reasons(job: Job) -> dict[str, str]:
    """Each fault's text, for the kind of callables."""
    mine = dict(OF_U)
    if job.kind == "control" and job.said["control"] == "noise":
        mine |= CONTROL
    if job.kind == "scores":
        mine |= SCORES
    sums = dict(SUMS) if job.ratio else SUMS | {"whole_sign": NEGATIVE}
    parts = {f"{n}_in_the_square": f"in ½ ∫|u|² dt alone, {t}" for n, t in mine.items()}
    parts |= {f"{n}_in_the_noise": f"in ∫ u·dW alone, {t}" for n, t in mine.items()}
    if job.said["simulated"] == "Q":
        sums["paths_of_the_other"] = OF_P
    return {**parts, **sums, **mine}


#: a factor nearer to 1 is nothing that anybody writes
NEAR = 0.01


def plainly(named: Diagnosis, value: np.ndarray, due: np.ndarray) -> Diagnosis:
    """A number that was read off values, in the words of this check."""
    if named.names == ("offset",):
        much = float(np.mean(value - due))
        text = f"{abs(much):.6g} is {'added to' if much > 0 else 'taken from'} every value"
        return Diagnosis.cause("offset", f"Cause: {text}, whatever drifts and noise are: leave it.")
    ratio = float(np.median(value / due))
    if named.names == ("factor",) and abs(ratio - 1) < NEAR:
        return Diagnosis.unknown(
            f"No known fault explains it; it is {ratio:.6g} times what is due, whatever drifts and"
            " noise are."
        )
    return named


def title(job: Job, index: int) -> str:
    """What is compared, in words."""
    if job.ratio:
        return f"{job.name}: log dP/dQ of each path against the ratio of the Euler steps' densities"
    what = {
        "drifts": "½ ∫|g⁻¹(a - b)|² dt",
        "control": "½ ∫|u|² dt of the control",
        "scores": "½ ∫ g² |s0 - s1|² dt of the scores",
    }[job.kind]
    along = "along each path" if index == 0 else "in the limit of small steps"
    return f"{job.name}: {what} {along}"
