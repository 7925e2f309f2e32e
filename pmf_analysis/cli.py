"""The `pmf` command: thin, each command calls one function."""
