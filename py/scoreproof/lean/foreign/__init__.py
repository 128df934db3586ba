"""The audit of somebody else's Lean project, from its text alone: ``scoreproof lean --audit PATH``.

It finds what Lean accepts and a reader should know of. It proves nothing, and says so.
"""
