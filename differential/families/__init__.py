"""What conversations are about: one module per family, each with a Hypothesis strategy."""
