"""The steps of samplers as they stand in code.

Conventions: ``x``, ``out`` (what the model returned; ``out_2`` at ``mid``), ``z`` come in; ``o1`` …
are the predictions of earlier steps; ``x_next`` goes out. ``ᾱ`` where there is a table, else α, σ.
"""

from __future__ import annotations

#: x_0 and ε of what the model returned
VP = {
    "eps": "x_0 = (x - sqrt(1 - abar_t) * out) / sqrt(abar_t)\neps = out",
    "x0": "x_0 = out\neps = (x - sqrt(abar_t) * x_0) / sqrt(1 - abar_t)",
    "v": "x_0 = sqrt(abar_t) * x - sqrt(1 - abar_t) * out\n"
    "eps = sqrt(abar_t) * out + sqrt(1 - abar_t) * x",
    "score": "eps = -sqrt(1 - abar_t) * out\nx_0 = (x - sqrt(1 - abar_t) * eps) / sqrt(abar_t)",
}
ANY = {
    "eps": "x_0 = (x - sigma_t * out) / a_t\neps = out",
    "x0": "x_0 = out\neps = (x - a_t * x_0) / sigma_t",
    "v": "x_0 = a_t * x - sigma_t * out\neps = a_t * out + sigma_t * x",
    "score": "eps = -sigma_t * out\nx_0 = (x - sigma_t * eps) / a_t",
    "flow": "x_0 = x - sigma_t * out\neps = x + a_t * out",
}
VE = {
    "eps": "x_0 = x - sigma_t * out",
    "x0": "x_0 = out",
    "v": "x_0 = x / (sigma_t**2 + 1) - sigma_t / sqrt(sigma_t**2 + 1) * out",
    "score": "x_0 = x + sigma_t**2 * out",
}
#: with ε formed anew from x_0
VP_AGAIN = {
    kind: f"{text.splitlines()[0]}\n{VP['x0'].splitlines()[1]}"
    for kind, text in VP.items()
    if kind in ("eps", "v")
}
ANY_AGAIN = {
    kind: f"{text.splitlines()[0]}\n{ANY['x0'].splitlines()[1]}"
    for kind, text in ANY.items()
    if kind in ("eps", "v", "flow")
}
SCORE = {
    "score": "score = out",
    "eps": "score = -out / sigma_t",
    "x0": "score = (a_t * out - x) / sigma_t**2",
    "v": "eps = a_t * out + sigma_t * x\nscore = -eps / sigma_t",
}
DDIM = """
var = (1 - abar_prev) / (1 - abar_t) * (1 - abar_t / abar_prev)
std = eta * sqrt(var)
x_next = sqrt(abar_prev) * x_0 + sqrt(1 - abar_prev - std**2) * eps + std * z
"""
DDIM_ODE = "x_next = sqrt(abar_prev) * x_0 + sqrt(1 - abar_prev) * eps"
DDIM_ANY = """
var = sigma_next**2 * (1 - (a_t * sigma_next / (a_next * sigma_t))**2)
std = eta * sqrt(var)
x_next = a_next * x_0 + sqrt(sigma_next**2 - std**2) * eps + std * z
"""
DDIM_ANY_ODE = "x_next = a_next * x_0 + sigma_next * eps"
DDPM = """
var = (1 - abar_prev) / (1 - abar_t) * beta_t
c_0 = sqrt(abar_prev) * beta_t / (1 - abar_t)
c_t = sqrt(alpha_t) * (1 - abar_prev) / (1 - abar_t)
mean = c_0 * x_0 + c_t * x
x_next = mean + sqrt(var) * z
"""
HO = """
var = (1 - abar_prev) / (1 - abar_t) * beta_t
x_next = (x - beta_t / sqrt(1 - abar_t) * eps) / sqrt(alpha_t) + sqrt(var) * z
"""
#: in coordinates x/α, whose noise is σ/α
DDIM_OVER = (
    "x_next = sqrt(abar_prev / abar_t) * x"
    " + sqrt(abar_prev) * (sqrt(1 / abar_prev - 1) - sqrt(1 / abar_t - 1)) * eps"
)
DDIM_ANY_OVER = "x_next = a_next / a_t * x + a_next * (sigma_next / a_next - sigma_t / a_t) * eps"
#: as in variational diffusion models: c = 1 - (the ratio of the signal-to-noise ratios)
VDM = """
c_t = 1 - (a_t * sigma_next / (a_next * sigma_t))**2
mean = a_next / a_t * (x - c_t * sigma_t * eps)
x_next = mean + sigma_next * sqrt(c_t) * z
"""
EULER = """
d = (x - x_0) / sigma_t
x_next = x + (sigma_next - sigma_t) * d
"""
ANCESTRAL = """
sigma_up = eta * sqrt(sigma_next**2 * (sigma_t**2 - sigma_next**2) / sigma_t**2)
sigma_down = sqrt(sigma_next**2 - sigma_up**2)
d = (x - x_0) / sigma_t
x_next = x + (sigma_down - sigma_t) * d + sigma_up * z
"""
CHURN = """
d = (x - x_0) / sigma_hat
x_next = x + (sigma_next - sigma_hat) * d + sqrt(sigma_hat_next**2 - sigma_next**2) * z
"""
#: down to σ_down, and up again with noise, on the straight path
FLOW_ANCESTRAL = """
sigma_down = sigma_next * (1 + (sigma_next / sigma_t - 1) * eta)
a_down = 1 - sigma_down
std = sqrt(sigma_next**2 - (sigma_down * a_next / a_down)**2)
y = sigma_down / sigma_t * x + (1 - sigma_down / sigma_t) * x_0
x_next = a_next / a_down * y + std * z
"""
FLOW_AB = "x_next = x + (lms2_1 * out + lms2_2 * o1)"
STRAIGHT = "x_next = x + (sigma_next - sigma_t) * v"
VELOCITY = "x_next = x + (t_next - t) * v"
DPM = "x_next = sigma_next / sigma_t * x - a_next * (exp(-h) - 1) * x_0"
DPM_EPS = "x_next = a_next / a_t * x - sigma_next * (exp(h) - 1) * eps"
DPM_SDE = (
    "x_next = sigma_next / sigma_t * exp(-h) * x + a_next * (1 - exp(-2 * h)) * x_0"
    " + sigma_next * sqrt(1 - exp(-2 * h)) * z"
)
DPM_2M = """
x_0_old = o1
r = h_prev / h
q = 1 / (2 * r)
D = (1 + q) * x_0 - q * x_0_old
x_next = sigma_next / sigma_t * x - a_next * (exp(-h) - 1) * D
"""
#: a corrector of order 2 as UniPC's, on the x that the model was asked at, before the next step
UNIC = """
x_0_old = o1
y = x - a_t * (exp(-h_prev) - 1) / 2 * (x_0 - x_0_old)
x_next = sigma_next / sigma_t * y - a_next * (exp(-h) - 1) * x_0
"""
#: as consistency models are sampled in several steps
RENOISED = "x_next = a_next * x_0 + sigma_next * z"
DPM_2M_EPS = """
eps_old = o1
r = h_prev / h
q = 1 / (2 * r)
D = (1 + q) * eps - q * eps_old
x_next = a_next / a_t * x - sigma_next * (exp(h) - 1) * D
"""
DPM_2M_SDE = """
x_0_old = o1
r = h_prev / h
D = x_0 + 0.5 / r * (x_0 - x_0_old)
k = 1 - exp(-2 * h)
x_next = sigma_next / sigma_t * exp(-h) * x + a_next * k * D + sigma_next * sqrt(k) * z
"""
MULTISTEP = {
    n: f"d = (x - x_0) / sigma_t\nx_next = x + (lms{n}_1 * d"
    + "".join(f" + lms{n}_{j + 1} * o{j}" for j in range(1, n))
    + ")"
    for n in (2, 3, 4)
}
PLMS = """
e = (55 * eps - 59 * o1 + 37 * o2 - 9 * o3) / 24
x_next = sqrt(abar_prev) / sqrt(abar_t) * (x - sqrt(1 - abar_t) * e) + sqrt(1 - abar_prev) * e
"""
MARUYAMA = "x_next = x - (f * x - g2 * score) * dt + sqrt(g2) * sqrt(dt) * z"
ODE = "x_next = x - (f * x - 0.5 * g2 * score) * dt"
DISCRETE = "x_next = (2 - sqrt(1 - beta_t)) * x + beta_t * score + sqrt(beta_t) * z"
EXPLODING = """
g2 = sigma_t**2 - sigma_next**2
x_next = x + g2 * score + sqrt(g2) * z
"""
HEUN_FLOW = """
mid = x + (t_next - t) * out
x_next = x + (t_next - t) * (0.5 * out + 0.5 * out_2)
"""
MIDPOINT = """
mid = x + 0.5 * (t_next - t) * out
x_next = x + (t_next - t) * out_2
"""
TAYLOR = """
mid = x + 0.5 * (t_next - t) * out
dv = (out_2 - out) / (0.5 * (t_next - t))
x_next = x + (t_next - t) * out + 0.5 * (t_next - t)**2 * dv
"""
RK4 = """
mid = x + 0.5 * (t_next - t) * out
mid_2 = x + 0.5 * (t_next - t) * out_2
mid_3 = x + (t_next - t) * out_3
k_23 = out_2 + out_3
x_next = x + (t_next - t) / 6 * (out + 2 * k_23 + out_4)
"""
HEUN_ODE = """
slope = f * x - 0.5 * g2 * out
mid = x - slope * dt
slope_2 = f_next * mid - 0.5 * g2_next * out_2
x_next = x - (0.5 * slope + 0.5 * slope_2) * dt
"""
CORRECTED = """
score = out
mid = x - (f * x - g2 * score) * dt + sqrt(g2) * sqrt(dt) * z
score_2 = out_2
x_next = mid + epsilon * score_2 + sqrt(2 * epsilon) * z_2
"""
