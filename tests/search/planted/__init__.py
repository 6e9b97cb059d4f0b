"""Services with one bug each, and their correct twins: what property tests must tell apart.

python -m tests.search.planted --examples 5000
"""
