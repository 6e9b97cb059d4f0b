"""Verdict + history + plan -> text for a terminal, HTML, JUnit."""
