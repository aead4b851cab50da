"""The commands of the console script: a file a command, each function's docstring is its help."""
