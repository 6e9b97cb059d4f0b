"""One file a target; `NAMES` in the order of the table."""

NAMES = ("scanner", "records", "engine", "cluster", "spool", "token", "transcript")
