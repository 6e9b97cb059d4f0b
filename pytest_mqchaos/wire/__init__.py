"""One folder a protocol: bytes <-> frames, nothing else."""
