"""The commands: a folder each, with the command as one typed function, its model and its formats."""
