"""Wrong training losses: targets, noising, weights, reductions, drawn times."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_loss

BETAS = np.linspace(1e-4, 0.02, 1000)
BAR = np.cumprod(1 - BETAS)
TABLE = {"betas": BETAS}
IMAGE = (3, 4, 4)


def table():
    import torch

    return torch.from_numpy(BAR)


def col(values):
    return values.reshape(-1, 1, 1, 1)


def noised(x0, t, noise):
    bar = col(table()[t])
    return bar.sqrt() * x0 + (1 - bar).sqrt() * noise


def ddpm(loss, **more):
    return check_loss(loss, TABLE, **({"shape": IMAGE, "framework": "torch"} | more))


def flow(loss, **more):
    return check_loss(loss, "flow", **({"prediction": "flow", "framework": "torch"} | more))


@wrong(
    "ε-model trained on x_0",
    says=r"Cause: the target is x_0, where the model is said",
    needs="torch",
)
def eps_model_against_the_data():
    def p_losses(model, x_start, t, noise):
        return ((model(noised(x_start, t, noise), t) - x_start) ** 2).mean()

    return ddpm(p_losses)


@wrong(
    "v-model trained on ε (prediction_type not read)",
    says=r"Cause: the target is ε, where the model is said to answer v",
    needs="torch",
)
def diffusers_script_that_forgets_v():
    import torch.nn.functional as F

    def step(unet, latents, timesteps, noise):
        pred = unet(noised(latents, timesteps, noise), timesteps, encoder_hidden_states=None).sample
        return F.mse_loss(pred.float(), noise.float(), reduction="mean")

    return ddpm(step, prediction="v")


@wrong("sign of v", says=r"Cause: the sign of the target is wrong: it is minus v", needs="torch")
def v_with_its_sign_turned():
    def loss(model, x0, t, noise):
        bar = col(table()[t])
        v = (1 - bar).sqrt() * x0 - bar.sqrt() * noise
        return ((model(noised(x0, t, noise), t) - v) ** 2).mean()

    return ddpm(loss, prediction="v")


@wrong("a plus in v", says=r"α ε \+ σ x_0: the sign of σ x_0", needs="torch")
def v_with_a_plus():
    def loss(model, x0, t, noise):
        bar = col(table()[t])
        v = bar.sqrt() * noise + (1 - bar).sqrt() * x0
        return ((model(noised(x0, t, noise), t) - v) ** 2).mean()

    return ddpm(loss, prediction="v")


@wrong("ᾱ for √ᾱ", says=r"x_0 is multiplied by ᾱ where its root is due", needs="torch")
def no_root_of_the_cumulated_product():
    def loss(model, x0, t, noise):
        bar = col(table()[t])
        return ((model(bar * x0 + (1 - bar).sqrt() * noise, t) - noise) ** 2).mean()

    return ddpm(loss)


@wrong("1 - ᾱ for its root", says=r"the noise is multiplied by 1 - ᾱ where its root is due")
def variance_in_the_place_of_the_deviation():
    def loss(model, x0, t, noise):
        bar = col(BAR[t])
        return ((model(np.sqrt(bar) * x0 + (1 - bar) * noise, t) - noise) ** 2).mean()

    return check_loss(loss, TABLE, shape=(1, 2, 2), framework="numpy")


@wrong("β_t for 1 - ᾱ_t", says=r"β_t is in the place of 1 - ᾱ_t: this is one step", needs="torch")
def one_step_of_the_chain():
    import torch

    def loss(model, x0, t, noise):
        beta = col(torch.from_numpy(BETAS)[t])
        x = (1 - beta).sqrt() * x0 + beta.sqrt() * noise
        return ((model(x, t) - noise) ** 2).mean()

    return ddpm(loss)


@wrong("x_0 is not scaled", says=r"α is missing in front of x_0", needs="torch")
def alpha_missing_in_q_sample():
    def loss(model, x0, t, noise):
        x = x0 + (1 - col(table()[t])).sqrt() * noise
        return ((model(x, t) - noise) ** 2).mean()

    return ddpm(loss)


@wrong("noise drawn twice", says=r"x_t is made with another draw of noise", needs="torch")
def q_sample_draws_its_own_noise():
    import torch

    def q_sample(x0, t, noise=None):
        noise = torch.randn_like(x0) if noise is None else noise
        return noised(x0, t, noise)

    def p_losses(model, x_start, t, noise):
        return ((model(q_sample(x_start, t), t) - noise) ** 2).mean()

    return ddpm(p_losses)


@wrong(
    "noise drawn twice, by the loss",
    says=r"the target has another draw of noise than x_t",
    needs="torch",
)
def target_with_a_fresh_draw():
    import torch

    def loss(model, x0, t):
        x = noised(x0, t, torch.randn_like(x0))
        return ((model(x, t) - torch.randn_like(x0)) ** 2).mean()

    return ddpm(loss)


@wrong("uniform noise", says=r"the noise is uniform \(rand_like\)", needs="torch")
def rand_like_for_randn_like():
    import torch

    def loss(model, x0, t):
        noise = torch.rand_like(x0)
        return ((model(noised(x0, t, noise), t) - noise) ** 2).mean()

    return ddpm(loss)


@wrong("q_sample at t - 1", says=r"x_t is that of t - 1", needs="torch")
def noised_one_step_too_little():
    def loss(model, x0, t, noise):
        return ((model(noised(x0, (t - 1).clamp(min=0), noise), t) - noise) ** 2).mean()

    return ddpm(loss)


@wrong(
    "the model is told t + 1",
    says=r"Cause: the model is told t \+ 1 where its x is that of t",
    needs="torch",
)
def label_of_the_next_step():
    def loss(model, x0, t, noise):
        return ((model(noised(x0, t, noise), t + 1) - noise) ** 2).mean()

    return ddpm(loss)


@wrong(
    "another t in the model", says=r"what the model is told is not the t of its x", needs="torch"
)
def t_drawn_twice():
    import torch

    def loss(model, x0, t, noise):
        other = torch.randint(0, 1000, (len(x0),))
        return ((model(noised(x0, t, noise), other) - noise) ** 2).mean()

    return ddpm(loss)


@wrong("the model is not told t", says=r"Cause: t is not passed to the model", needs="torch")
def t_is_forgotten():
    def loss(model, x0, t, noise):
        return ((model(noised(x0, t, noise)) - noise) ** 2).mean()

    return ddpm(loss)


@wrong("randint from 1", says=r"it never trains t = 0\. Cause: randint\(1, 1000\)", needs="torch")
def the_first_timestep_is_never_drawn():
    import torch

    def loss(model, images):
        t = torch.randint(low=1, high=1000, size=(images.shape[0],))
        noise = torch.randn_like(images)
        return torch.nn.MSELoss()(noise, model(noised(images, t, noise), t))

    return ddpm(loss)


@wrong(
    "randint(0, T - 1)", says=r"it never trains t = 999\. Cause: randint\(0, 999\)", needs="torch"
)
def the_last_timestep_is_never_drawn():
    import torch

    def loss(model, x0):
        t = torch.randint(0, len(BETAS) - 1, (x0.shape[0],)).long()
        noise = torch.randn_like(x0)
        return ((model(noised(x0, t, noise), t) - noise) ** 2).mean()

    return ddpm(loss)


@wrong(
    "L1", says=r"the loss is the absolute error \(L1\): its minimiser is the median", needs="torch"
)
def l1_loss():
    import torch.nn.functional as F

    def p_losses(model, x_start, t, noise):
        return F.l1_loss(noise, model(noised(x_start, t, noise), t))

    return ddpm(p_losses)


@wrong("Huber", says=r"a large error counts for less than its size \(Huber", needs="torch")
def huber_loss():
    import torch.nn.functional as F

    def p_losses(model, x_start, t, noise):
        return F.smooth_l1_loss(model(noised(x_start, t, noise), t), noise)

    return ddpm(p_losses)


@wrong("norm without its square", says=r"the length of the error, not its square", needs="torch")
def norm_of_each_sample():
    def loss(model, x0, t, noise):
        return (model(noised(x0, t, noise), t) - noise).flatten(1).norm(dim=1).mean()

    return ddpm(loss)


@wrong("root of the mean", says=r"a root is taken of the loss of the whole batch", needs="torch")
def rmse():
    def loss(model, x0, t, noise):
        return ((model(noised(x0, t, noise), t) - noise) ** 2).mean().sqrt()

    return ddpm(loss)


@wrong("adaptive weight", says=r"weight of a sample depends on its own error", needs="torch")
def adaptive_weight_of_the_error():
    def loss(model, x0, t, noise):
        each = ((model(noised(x0, t, noise), t) - noise) ** 2).flatten(1).mean(1)
        return (each / (each.detach() + 1e-3)).mean()

    return ddpm(loss)


@wrong(
    "(B, B) by broadcasting", says=r"\(B,\) met \(B, 1\), which makes \(B, B\) pairs", needs="torch"
)
def squeeze_on_one_side():
    def loss(model, x0, t, noise):
        out = model(noised(x0, t, noise), t).flatten(1).unsqueeze(1)
        return ((out - noise.flatten(1)) ** 2).mean()

    return ddpm(loss)


@wrong(
    "learned variance: the wrong half",
    says=r"first half of the channels is the mean",
    needs="torch",
)
def second_half_of_the_channels():
    def loss(model, x0, t, noise):
        _, eps = model(noised(x0, t, noise), t).chunk(2, dim=1)
        return ((eps - noise) ** 2).mean()

    return ddpm(loss, learned_variance=True)


def weighted(make, kind="eps", **more):
    """A loss on a table with ``make(snr)`` for a weight."""

    def loss(model, x0, t, noise):
        bar = table()[t]
        a, s = col(bar.sqrt()), col((1 - bar).sqrt())
        target = {"eps": noise, "x0": x0, "v": a * noise - s * x0}[kind]
        out = model(a * x0 + s * noise, t)
        each = ((out - target) ** 2).mean(dim=(1, 2, 3))
        return (make(bar / (1 - bar)) * each).mean()

    return ddpm(loss, prediction=kind, **more)


@wrong(
    "min-SNR of ε with a v model",
    says=r"min-SNR weight of an ε model.*the model answers v: min\(SNR, γ\)/\(SNR \+ 1\) is due",
    needs="torch",
)
def min_snr_of_eps_for_v():
    return weighted(lambda snr: snr.clamp(max=5) / snr, "v", weight="min-snr")


@wrong(
    "min-SNR of v with an ε model",
    says=r"min-SNR weight of a v model.*min\(SNR, γ\)/SNR is due",
    needs="torch",
)
def min_snr_of_v_for_eps():
    return weighted(lambda snr: snr.clamp(max=5) / (snr + 1), weight="min-snr")


@wrong("min-SNR not divided for ε", says=r"multiplies the error of ε: divide it", needs="torch")
def min_snr_of_x0_for_eps():
    return weighted(lambda snr: snr.clamp(max=5), weight="min-snr")


@wrong("clamped on the wrong side", says=r"max\(SNR, γ\) where min\(SNR, γ\)", needs="torch")
def min_snr_is_a_max():
    return weighted(lambda snr: snr.clamp(min=5) / snr, weight="min-snr")


@wrong("SNR without squares", says=r"the SNR in it is α/σ where α²/σ²", needs="torch")
def snr_is_a_root():
    return weighted(lambda snr: snr.sqrt().clamp(max=5) / snr.sqrt(), weight="min-snr")


@wrong("another γ", says=r"the loss's weight is min\(SNR, 1\), for x_0", needs="torch")
def gamma_one():
    return weighted(lambda snr: snr.clamp(max=1) / snr, weight="min-snr")


@wrong("no weight at all", says=r"uniform in ε: the error has no weight at all", needs="torch")
def weight_computed_and_not_used():
    return weighted(lambda snr: 1.0, weight="min-snr")


@wrong(
    "weights averaged over the batch",
    says=r"averaged over the batch before they multiply",
    needs="torch",
)
def weights_broadcast_over_the_batch():
    def loss(model, x0, t, noise):
        snr = table()[t] / (1 - table()[t])
        weight = col(snr.clamp(max=5) / snr)
        each = ((model(noised(x0, t, noise), t) - noise) ** 2).mean(dim=(1, 2, 3))
        return (weight * each).mean()

    return ddpm(loss, weight="min-snr")


@wrong("EDM: σ σ_data without its square", says=r"the square of σ σ_data is missing", needs="torch")
def edm_weight_without_a_square():
    import torch

    def loss(net, images):
        sigma = (torch.randn([images.shape[0], 1, 1, 1]) * 1.2 - 1.2).exp()
        weight = (sigma**2 + 0.5**2) / (sigma * 0.5)
        y = net(images + torch.randn_like(images) * sigma, sigma)
        return (weight * (y - images) ** 2).sum()

    return check_loss(loss, prediction="x0", weight="edm", shape=IMAGE, framework="torch")


@wrong("EDM: σ_data of the weight", says=r"σ_data is 1 in it where 0.5 is declared", needs="torch")
def edm_weight_with_another_sigma_data():
    import torch

    def loss(net, images):
        sigma = (torch.randn([images.shape[0], 1, 1, 1]) * 1.2 - 1.2).exp()
        weight = (sigma**2 + 1) / sigma**2
        y = net(images + torch.randn_like(images) * sigma, sigma)
        return (weight * (y - images) ** 2).sum()

    return check_loss(loss, prediction="x0", weight="edm", shape=IMAGE, framework="torch")


@wrong(
    "k-diffusion's target with another σ_data",
    says=r"σ_data is 1 in the target where 0.5",
    needs="torch",
)
def edm_target_with_another_sigma_data():
    def loss(inner, x0, sigma, noise, sigma_data=1.0):
        s = sigma.reshape(-1, 1)
        total = s**2 + sigma_data**2
        noised = x0 + noise * s
        target = (x0 - sigma_data**2 / total * noised) / (s * sigma_data / total.sqrt())
        return ((inner(noised, sigma.log() / 4) - target) ** 2).mean()

    return check_loss(loss, prediction="F", framework="torch", sigma_data=0.5)


@wrong("NCSN: -ε for -ε/σ", says=r"the target is -ε where -ε/σ is due", needs="torch")
def dsm_without_the_division():
    def loss(scorenet, samples, sigmas, noise):
        s = sigmas.reshape(-1, 1)
        scores = scorenet(samples + noise * s, sigmas)
        return 0.5 * ((scores + noise) ** 2 * s**2).sum(dim=-1).mean()

    return check_loss(loss, prediction="score", framework="torch")


@wrong("NCSN: -ε/σ²", says=r"the target is -ε/σ² where -ε/σ is due", needs="torch")
def dsm_divided_twice():
    def loss(scorenet, samples, sigmas, noise):
        s = sigmas.reshape(-1, 1)
        target = -1 / s**2 * noise
        return 0.5 * ((scorenet(samples + noise * s, sigmas) - target) ** 2 * s**2).mean()

    return check_loss(loss, prediction="score", framework="torch")


@wrong(
    "weight σ for σ²", says=r"it is the root of the weight that is due|due times σ⁻¹", needs="torch"
)
def dsm_weight_of_sigma():
    def loss(scorenet, samples, sigmas, noise):
        s = sigmas.reshape(-1, 1)
        scores = scorenet(samples + noise * s, sigmas)
        return 0.5 * ((scores + noise / s) ** 2 * s).sum(dim=-1).mean()

    return check_loss(loss, prediction="score", weight="sigma2", framework="torch")


@wrong(
    "score_sde: likelihood weighting without g²",
    says=r"weight is uniform in the score|uniform in ε",
    needs="torch",
)
def likelihood_weighting_forgotten():
    from scoreproof.objects.schedules import VPLinear

    sde = VPLinear(0.1, 20.0)

    def loss(score_fn, batch, t, z):
        import torch

        log_mean = -0.25 * t**2 * 19.9 - 0.5 * t * 0.1
        std = torch.sqrt(1 - torch.exp(2 * log_mean)).reshape(-1, 1)
        x = torch.exp(log_mean).reshape(-1, 1) * batch + std * z
        return ((score_fn(x, t) * std + z) ** 2).mean()

    return check_loss(loss, sde, prediction="score", weight="likelihood", framework="torch")


@wrong(
    "flow: ends reversed",
    says=r"the sign of the target is wrong: it is minus ε - x_0",
    needs="torch",
)
def rectified_flow_backwards():
    import torch

    def loss(model, x0):
        t = torch.rand(len(x0))
        e, s = torch.randn_like(x0), t.reshape(-1, 1)
        return ((model((1 - s) * x0 + s * e, t) - (x0 - e)) ** 2).mean()

    return flow(loss)


@wrong("flow: x_t of 1 - t", says=r"x_t is that of 1 - t|α and σ are exchanged", needs="torch")
def flow_with_its_time_reversed():
    def loss(model, x0, t, noise):
        s = t.reshape(-1, 1)
        return ((model(s * x0 + (1 - s) * noise, t) - (noise - x0)) ** 2).mean()

    return flow(loss)


@wrong(
    "CFM: σ_min in the target alone",
    says=r"the target has σ_min = 0.0001 in it, and x_t has not",
    needs="torch",
)
def sigma_min_in_the_target_only():
    def loss(model, x1, t, noise):
        s = t.reshape(-1, 1)
        return ((model(s * x1 + (1 - s) * noise, t) - (x1 - (1 - 1e-4) * noise)) ** 2).mean()

    pair = (lambda t: t, lambda t: 1 - t)
    return check_loss(loss, pair, prediction="velocity", framework="torch")


@wrong(
    "the target of the neighbour",
    says=r"x_t has the x_0 of the (next|previous) sample",
    needs="torch",
)
def data_shuffled_after_the_target():
    def loss(model, x0, t, noise):
        s = t.reshape(-1, 1)
        x = (1 - s) * x0.roll(1, 0) + s * noise
        return ((model(x, t) - (noise - x0)) ** 2).mean()

    return flow(loss)


@wrong("label dropping drops x_0", says=r"not made of x_0 and ε|clean|x_0", needs="torch")
def dropping_the_image_with_the_label():
    import torch

    def loss(model, x0, t, noise):
        keep = (torch.rand(len(x0)) > 0.1).reshape(-1, 1)
        s = t.reshape(-1, 1)
        return ((model((1 - s) * x0 + s * noise, t) - keep * (noise - x0)) ** 2).mean()

    return flow(loss)


@wrong("offset noise that is not in the target", says=r"second draw of noise in it", needs="torch")
def offset_noise_in_x_only():
    import torch

    def loss(unet, latents, timesteps):
        noise = torch.randn_like(latents)
        moved = noise + 0.1 * torch.randn_like(latents)
        return ((unet(noised(latents, timesteps, moved), timesteps) - noise) ** 2).mean()

    return ddpm(loss)


@wrong(
    "images mapped to [-1, 1] in the loss",
    says=r"pass encode=lambda x0: 2 \* x0 - 1",
    needs="torch",
)
def normalised_inside():
    import torch

    def forward(model, img):
        t = torch.randint(0, 1000, (len(img),))
        x0, noise = img * 2 - 1, torch.randn_like(img)
        return ((model(noised(x0, t, noise), t) - noise) ** 2).mean()

    return ddpm(forward)


@wrong("the weight depends on the data", says=r"the weight depends on the sample", needs="torch")
def weight_of_the_data():
    def loss(model, x0, t, noise):
        each = ((model(noised(x0, t, noise), t) - noise) ** 2).flatten(1).mean(1)
        return (each / x0.flatten(1).pow(2).mean(1)).mean()

    return ddpm(loss)


@wrong("the sign of the loss", says=r"the sign of the loss is wrong", needs="torch")
def maximised():
    def loss(model, x0, t, noise):
        return -((model(noised(x0, t, noise), t) - noise) ** 2).mean()

    return ddpm(loss)


@wrong("jax: velocity against ε", says=r"the target is ε, where the model is said", needs="jax")
def jax_velocity_against_the_noise():
    import jax
    import jax.numpy as jnp

    def loss(model, x0, key):
        k, n = jax.random.split(key)
        t, e = jax.random.uniform(k, (len(x0), 1)), jax.random.normal(n, x0.shape)
        return jnp.mean((model((1 - t) * x0 + t * e, t) - e) ** 2)

    return check_loss(loss, "flow", prediction="flow", framework="jax")


@wrong(
    "label dropping drops x_0 in x_t", says=r"x_0 is 0 in x_t at \d+ of 17 samples", needs="torch"
)
def data_dropped_before_they_are_noised():
    import torch

    def loss(model, x0, t, noise):
        keep = col(torch.rand(len(x0)) > 0.3)
        return ((model(noised(x0 * keep, t, noise), t) - noise) ** 2).mean()

    return ddpm(loss)


@wrong("the noise is shuffled", says=r"the target is that of another sample", needs="torch")
def target_of_a_permutation():
    import torch

    def loss(model, x0, t, noise):
        order = torch.randperm(len(x0))
        return ((model(noised(x0, t, noise), t) - noise[order]) ** 2).mean()

    return ddpm(loss)


@wrong("EDM: σ_data of the weight, 0.3", says=r"σ_data is 0.3 in it where 0.5 is declared")
def edm_weight_of_own_data():
    def loss(denoiser, y, sigma, noise):
        s = sigma.reshape(-1, 1)
        weight = (s**2 + 0.3**2) / (s * 0.3) ** 2
        return np.mean(weight * (denoiser(y + s * noise, sigma) - y) ** 2)

    return check_loss(loss, prediction="x0", weight="edm", shape=3)


@wrong("weight over σ", says=r"one over the root of the weight that is due")
def dsm_divided_by_sigma():
    def loss(score, x, sigma, noise):
        s = sigma.reshape(-1, 1)
        return np.mean((score(x + s * noise, sigma) + noise / s) ** 2 / s)

    return check_loss(loss, prediction="score", weight="sigma2", shape=3)


@wrong("offset noise", says=r"the same at all pixels of a channel", needs="torch")
def offset_noise():
    import torch

    def loss(unet, latents):
        t = torch.randint(0, 1000, (len(latents),))
        shift = torch.randn(latents.shape[0], latents.shape[1], 1, 1)
        noise = torch.randn_like(latents) + 0.1 * shift
        return ((unet(noised(latents, t, noise), t) - noise) ** 2).mean()

    return ddpm(loss)


@wrong("noise scaled in x_t", says=r"the noise is multiplied by 1.1 in x_t", needs="torch")
def noise_too_large():
    def loss(model, x0, t, noise):
        return ((model(noised(x0, t, 1.1 * noise), t) - noise) ** 2).mean()

    return ddpm(loss)


@wrong("sliced score matching: ½ missing", says=r"½ is missing in front of \|s\|²", needs="torch")
def sliced_without_its_half():
    import torch

    def loss(net, x):
        x = x.detach().requires_grad_(True)
        v = torch.randn_like(x)
        s = net(x)
        g = torch.autograd.grad((s * v).sum(), x, create_graph=True)[0]
        return ((s * v).sum(-1) ** 2 + (g * v).sum(-1)).mean()

    return check_loss(loss, prediction="score")


@wrong("implicit score matching: sign", says=r"the sign of the trace is wrong", needs="torch")
def trace_subtracted():
    import torch

    def loss(net, x):
        x = x.detach().requires_grad_(True)
        s = net(x)
        trace = sum(
            torch.autograd.grad(s[:, k].sum(), x, create_graph=True)[0][:, k]
            for k in range(x.shape[1])
        )
        return (0.5 * s.pow(2).sum(-1) - trace).mean()

    return check_loss(loss, prediction="score")


@wrong(
    "diffusers 5654: min(SNR + 1, γ)",
    says=r"1 is added to the SNR under the minimum too",
    needs="torch",
)
def diffusers_adds_one_under_the_minimum():
    return weighted(lambda snr: (snr + 1).clamp(max=5) / (snr + 1), "v", weight="min-snr")


@wrong(
    "diffusers 8466: the weight of ε, plus 1", says=r"1 is added to the whole weight", needs="torch"
)
def diffusers_adds_one_to_the_weight():
    return weighted(lambda snr: snr.clamp(max=5) / snr + 1, "v", weight="min-snr")


@wrong("bayesflow 787: mean(w) mean(error)", says=r"averaged over the batch before they multiply")
def weights_keep_a_trailing_axis():
    def loss(network, x, rng):
        t, eps = rng.integers(0, 1000, len(x)), rng.standard_normal(x.shape)
        bar = BAR[t][:, None]
        weights = 1 / np.cosh(np.log(bar / (1 - bar)) / 2)
        out = network(np.sqrt(bar) * x + np.sqrt(1 - bar) * eps, t)
        return np.mean(weights * np.mean((out - eps) ** 2, axis=-1))

    def due(t):
        bar = BAR[int(t)]
        return 1 / np.cosh(np.log(bar / (1 - bar)) / 2)

    return check_loss(loss, TABLE, weight=due, shape=3)


@wrong(
    "the same in PyTorch, t drawn by the loss",
    says=r"averaged over the batch before they",
    needs="torch",
)
def weights_broadcast_where_t_is_drawn():
    import torch

    def loss(model, x0):
        t = torch.randint(0, 1000, (len(x0),))
        noise, snr = torch.randn_like(x0), table()[t] / (1 - table()[t])
        each = (model(noised(x0, t, noise), t) - noise).pow(2).mean(dim=(1, 2, 3))
        return (col(snr.clamp(max=5) / snr) * each).mean()

    return ddpm(loss, weight="min-snr")
