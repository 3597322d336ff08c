"""`pullguard version`: what this pullguard consists of, and whether its parts belong together."""
