"""One fault a file: frozen descriptions without behaviour. What they do is a recipe."""
