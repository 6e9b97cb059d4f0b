"""Fuzzing of everything that eats bytes from outside. `python -m fuzz` says how.

A target is one small file in `targets/`: `WHAT`, `seeds()`, `one(data)` and, where bytes have a
structure, `mutate(data, size, dice)`. `one` raises only when a promise is broken; it needs no
fuzzer, so the default tests run the same targets.
"""
