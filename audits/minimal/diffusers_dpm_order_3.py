"""DPM-Solver++(3M) of diffusers: its law converges as that of a method of order 2."""

import diffusers

from scoreproof import check_sampler

for order in (3, 2):
    solver = diffusers.DPMSolverMultistepScheduler(solver_order=order)
    evidence = check_sampler(solver, order=order)
    print(f"solver_order={order}, order {order} -", evidence.explain())
