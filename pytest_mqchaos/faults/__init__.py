"""One fault a file: frozen descriptions without behaviour; what they do is a recipe."""
