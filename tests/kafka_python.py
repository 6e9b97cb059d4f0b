"""A race of kafka-python 3.0.12 that ends tests by chance: two of its consumers in one process.

A class for each version of an answer is made when the first answer of that version comes. Two
threads to which one comes at the same time make two, keep one, and the table of answers may know
the other, weakly (`ResponseClassRegistry`). Once that is collected no consumer of the process hears
such an answer any more.
"""

from __future__ import annotations


def make_all_versions() -> None:
    """Makes each class before there are threads. Kafka-python 2 has none of this, nor the race."""
    try:
        from kafka.protocol import admin, consumer, metadata, producer
    except ImportError:
        return
    for part in (admin, consumer, metadata, producer):
        for made in (getattr(part, name) for name in part.__all__ if name.endswith("Response")):
            for version in range(made.max_version + 1):
                made[version]
