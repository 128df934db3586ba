"""How things are computed: balls, jets, complex step, cubature, … `numerics` knows no claim."""
