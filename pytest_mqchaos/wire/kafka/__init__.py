"""Kafka's protocol: bytes <-> frames."""
