"""The pytest plugin: options, mark and fixtures. It holds no logic and imports nothing heavy."""
