"""What `fix` did or would do: one file a format."""
