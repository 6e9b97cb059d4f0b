"""The code under test: as a coroutine, a thread or a process; its crash and its restart."""
