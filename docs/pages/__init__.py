"""What the build of the site makes itself: formulas, the pages of the checks and of the claims."""
