"""What a wrong answer is instead of the right one, read off the numbers alone.

`closed_forms` names a number, `answers` says what an answer is (a factor, an offset, another order
of coordinates, a power, clipped …), `places` where it is wrong, and `growth` how the error grows.
"""
