"""The equation for any noise: a matrix, of the state, in any reading; for a density or a score."""
