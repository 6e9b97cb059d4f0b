"""What the rows of a run prove of one message, one key or one source, and what they leave open.

Each module is one fact; none makes a verdict: that is the question's that asks for it.
"""
