"""One folder a protocol: the state machines behind the legality rows."""
