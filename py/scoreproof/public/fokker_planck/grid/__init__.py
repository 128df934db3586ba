"""Solutions on grids, as a solver writes them, judged in weak form."""
