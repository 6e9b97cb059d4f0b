"""One question a file: pure functions from a history to a verdict."""
