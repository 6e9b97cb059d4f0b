"""Selectors, rules, plans, profiles and the legality table: pure data."""
