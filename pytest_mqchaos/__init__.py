"""Chaos testing of messaging code inside ordinary pytest tests: the public names."""
