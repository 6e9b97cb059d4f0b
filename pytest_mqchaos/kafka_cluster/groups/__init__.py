"""Consumer groups of both protocols, their members and their positions."""
