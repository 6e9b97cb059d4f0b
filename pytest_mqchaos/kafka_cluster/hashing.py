"""Java's string hash, by which Kafka spreads groups and transactional ids over partitions."""

from __future__ import annotations


def java_hash(text: str) -> int:
    """`String.hashCode`, made positive as Kafka does it, so that names land as they do there."""
    value = 0
    units = text.encode("utf-16-be", "surrogatepass")
    for at in range(0, len(units), 2):
        value = (value * 31 + int.from_bytes(units[at : at + 2])) & 0xFFFFFFFF
    return value & 0x7FFFFFFF
