"""What a test holds: `Chaos`; the session's `ChaosBroker` makes one per test or example."""
