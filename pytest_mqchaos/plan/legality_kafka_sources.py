"""Where the rows of Kafka's table have it from, where several have it from there."""

from __future__ import annotations

ORDER = "Kafka protocol guide, Network: one connection, answers in request order"
EOS = "KIP-98 (idempotent producer)"
GROUP = "Kafka protocol guide, group membership; KIP-62 (session and heartbeats)"
