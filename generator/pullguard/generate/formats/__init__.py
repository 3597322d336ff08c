"""What `generate` did or would do."""
