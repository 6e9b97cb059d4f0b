"""What the plugin does as a guest of pytest: marks, fixtures, endings, replay, summary."""
