"""Transactions: their state, their time-outs and their markers."""
