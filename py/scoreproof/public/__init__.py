"""The public checks, which judge a user's object: one folder a check, with the same rooms in each.

``check.py``: the function with its docstring; ``arguments.py``: what it was given; ``asking.py``:
how the user's object is asked; ``verdict.py``: what was found against what is due; ``words.py``:
the causes, in words. What they share stands beside the folders.
"""
