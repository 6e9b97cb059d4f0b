"""What would keep a failure from happening, in words, by what is known of its cause. No verdict
hangs on any of it.
"""
