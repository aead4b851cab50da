"""The pages: issues as a list and one by one, plain HTML and one style sheet, usable without scripts."""
