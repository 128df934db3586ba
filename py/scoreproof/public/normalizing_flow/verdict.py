"""What is asked of a flow, in which order, and what its verdict is."""

from __future__ import annotations

from dataclasses import replace

from scoreproof.coverage import Coverage
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.normalizing_flow.arguments import Job
from scoreproof.public.normalizing_flow.asking import Flow
from scoreproof.public.normalizing_flow.back import of_inverse
from scoreproof.public.normalizing_flow.buffers import thawed
from scoreproof.public.normalizing_flow.constants import of_other_parameters
from scoreproof.public.normalizing_flow.density import of_density
from scoreproof.public.normalizing_flow.gradients import of_gradients
from scoreproof.public.normalizing_flow.log_dets import added_up, of_log_det, shows
from scoreproof.public.normalizing_flow.look import ITERATED, Look, look
from scoreproof.public.normalizing_flow.rows import mixed, of_sizes
from scoreproof.public.normalizing_flow.weights import apart, asked, moved
from scoreproof.public.rule import weakest
from scoreproof.words import enumerated

__all__ = ["judge"]

#: of a z that is detached, where log p is formed elsewhere
UNTRAINED = (
    " Without log_prob it is not seen what training by log p would learn: log π(z) may move none of"
    " the parameters before that part. Pass log_prob= to have its gradients judged."
)
#: causes that the weights of a start suggest: 1 for a determinant, 0 for a bias
OF_A_START = {"constant", "missing", "not_logged_determinant"}


def judge(job: Job) -> Evidence:
    """The flow under judgement."""
    flow, found = asked(job)
    notes = [f"Samples of shape {flow.job.shape}: say another by shape=."] if found else []
    first, parts = _looked(flow)
    notes += _remarks(first)
    if flow.ungraded:
        notes.append(
            "log_prob returns numbers without gradients (no_grad, detach): they are not judged, and"
            " training by it would move nothing."
        )
    if flow.unseen:
        notes.append(
            f"The gradient of {' and '.join(dict.fromkeys(flow.unseen))} was not judged:"
            " differences in its type are no finer than it. Use float64 (in JAX"
            ' jax.config.update("jax_enable_x64", True)).'
        )
    looks = [first]
    evidence = weakest(parts)
    other = None if evidence.verdict == "refuted" else moved(flow)
    if evidence.verdict == "refuted":
        evidence = _of_other_weights(flow, evidence, first)
    if other is not None:
        try:
            second, more = _looked(other, True)
        except CallableError as error:
            notes.append(f"With moved parameters it was not judged: {error}.")
        else:
            then = weakest(more)
            looks.append(second)
            if then.verdict == "undecided" and evidence.verdict == "holds":
                if shows([first]) is None:
                    notes.append(f"With moved parameters it is left open: {then.sentence}.")
                else:
                    evidence = _of_moved(then)
            elif then.verdict == "refuted":
                evidence = _of_moved(then)
                if own := apart(flow, other):
                    notes.append(
                        f"{' and '.join(f'{n}=' for n in own)} does not hold the flow that was"
                        " passed, as far as was seen, and did not follow its moved parameters;"
                        " pass a method of the flow, or a function that closes over it."
                    )
            elif evidence.verdict == "holds":
                evidence = weakest([evidence, then])
                parts = [*parts, *more]
    if evidence.verdict == "holds":
        evidence = _of_frozen(other or flow, evidence)
    if evidence.verdict == "holds":
        blind = shows(looks)
        evidence = _together(evidence, parts, looks) if blind is None else blind
    return replace(evidence, notes=(*evidence.notes, *notes), cost=dict(flow.calls))


def _of_frozen(flow: Flow, evidence: Evidence) -> Evidence:
    """The verdict, where layers that are the identity by their buffers are none."""
    found = thawed(flow)
    if found is None:
        return evidence
    other, names, free = found
    told = f"{enumerated(names[:4])}{' and more' if len(names) > 4 else ''}"
    text = f"{told} moved from 0 or 1, where what it adds to log_det is 0 whatever it is"
    try:
        then = weakest(_looked(other, True)[1])
    except CallableError as error:
        then = Evidence.undecided("float", str(error))
    if then.verdict == "holds":
        return replace(evidence, notes=(*evidence.notes, f"It holds with {text}."))
    if then.verdict == "refuted" and free:
        return replace(then, sentence=f"with {text}: {then.sentence}")
    if then.verdict == "refuted":
        open_text = (
            f"{flow.job.name} holds as it is, and not with {text}; where one of them follows from"
            " another that is no mistake: pass the flow with those of a checkpoint, or after some"
            f" training. Then: {then.sentence}"
        )
        return Evidence.undecided("float", open_text)
    note = f"With {text}, it is left open: {then.sentence}."
    return replace(evidence, notes=(*evidence.notes, note))


def _of_other_weights(flow: Flow, evidence: Evidence, first: Look) -> Evidence:
    """What looks constant, or missing, at the weights of a start is named by others."""
    names = () if evidence.diagnosis is None else evidence.diagnosis.names
    found = thawed(moved(flow) or flow)
    other = None if found is None else found[0]
    if other is None and names and set(names) <= OF_A_START:
        other = moved(flow)
    if other is None:
        return evidence
    try:
        after = look(other, True)
        then = of_log_det(after, False)
    except CallableError:
        return evidence
    if names == ("constant",):
        alone = of_other_parameters(first, after)
        if alone is not None:
            return replace(evidence, diagnosis=alone)
    if then is None or then.verdict != "refuted" or then.diagnosis is None:
        return evidence
    # what other weights do not show is no cause: only the start looked so
    lost = not then.diagnosis.names and not (names and set(names) <= OF_A_START)
    same = then.diagnosis.names == names or lost
    return evidence if same else replace(evidence, diagnosis=then.diagnosis)


def _looked(flow: Flow, by_weights: bool = False) -> tuple[Look, list[Evidence]]:
    found = look(flow, by_weights)
    together, of_batch = mixed(found)
    if together is not None and together.verdict == "refuted":
        return found, [together]
    if together is not None:
        found = replace(found, loose=ITERATED)
    first = of_log_det(found, of_batch)
    parts = [p for p in (together, first) if p is not None]
    if first is not None and (first.verdict == "refuted" or found.estimate):
        return found, parts
    sizes = of_sizes(found)
    parts += [] if sizes is None else [sizes]
    added = added_up(found)
    parts += [] if added is None else [added]
    parts += of_inverse(found)
    density = of_density(found)
    parts += [] if density is None else [density]
    if density is None or density.verdict != "refuted":
        parts += of_gradients(found)
    if first is None and density is None:
        raise CallableError(
            f"{flow.job.name}'s forward",
            "return (z, log_det), or come with a log_prob",
            "it returned z alone",
            "return log |det ∂z/∂x| beside z, or pass log_prob=",
        )
    return found, parts


def _remarks(first: Look) -> list[str]:
    notes = []
    if first.noise:
        notes.append(
            "It draws random numbers, which are held fixed here: dropout belongs off (.eval()), and"
            " dequantisation noise has its own term in log p."
        )
    if first.answer.how in ("entries", "axis") and first.x.shape[1] > 1:
        notes.append("log_det comes for each coordinate; it is their sum that is judged.")
    if first.jac.detached:
        notes.append(
            "Autodiff tells another Jacobian of z than differences do, a part of z is detached or"
            " has a backward of its own: differences are taken."
            + ("" if first.flow.form(len(first.x)).log_prob else UNTRAINED)
        )
    elif first.flow.job.framework == "torch" and first.jac.how == "differences":
        notes.append(
            "No gradient of z reaches x by autodiff: differences are taken. Training by log p would"
            " see nothing of what comes before."
        )
    if first.flow.no_inverse:
        notes.append(f"Its inverse is not there: {first.flow.no_inverse}.")
    elif first.flow.form(len(first.x)).inverse is None:
        notes.append("There is no inverse to judge: inverse= takes one.")
    if first.flow.through:
        notes.append(
            "The inverse hands log_det through as it was handed in: it is that of no map, and is"
            " not judged. Sampling needs none; for a density by the inverse, subtract forward's."
        )
    return notes


def _of_moved(evidence: Evidence) -> Evidence:
    text = "with its parameters moved by 0.1 N(0, 1) (as given it shows nothing wrong): "
    return replace(evidence, sentence=text + evidence.sentence)


def _together(evidence: Evidence, parts: list[Evidence], looks: list[Look]) -> Evidence:
    """What holds, of all that was looked at."""
    last = looks[-1]
    job, d = last.flow.job, last.x.shape[1]
    said = []
    form = last.flow.form(len(last.x))
    if last.answer.log_det is not None:
        said.append(f"log_det is log |det J| of its {d} x {d} Jacobian, by {last.jac.how}")
    if form.inverse is not None and not last.flow.no_inverse:
        said.append("the inverse leads back")
    if form.log_prob is not None:
        said.append("log p is that of z and the Jacobian")
    whole = Coverage(
        {"rows": sum(len(k.x) for k in looks), "coordinates": d},
        tuple(o for p in parts if p.coverage for o in p.coverage.left_out if o.what == "rows"),
        last.span + (", as given and with moved parameters" if len(looks) > 1 else ""),
    )
    return replace(evidence, sentence=f"{job.name}: {', '.join(said)}", coverage=whole)
