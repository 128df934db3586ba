"""What is wrong with a sampler that was refuted: read off its steps, and asked again."""
