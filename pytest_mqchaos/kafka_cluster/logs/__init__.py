"""A partition's log and what is kept beside it: batches, segments, producers, epochs, flushes."""
