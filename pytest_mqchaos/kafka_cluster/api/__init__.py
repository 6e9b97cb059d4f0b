"""One handler for each request that is served, a file a family; `apis.py` is their table."""
