"""The process that moves bytes: a selectors loop, buffers and a control channel."""
