"""Virtual time: an asyncio loop that never waits, and a network that is memory."""
