"""Networks as people have them: of an image and a time, judged at many noise levels."""
