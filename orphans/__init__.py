"""What is left of a test run that was killed: counted, over many runs killed at random moments."""
