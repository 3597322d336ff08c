"""`pullguard check`: the report of a run against a baseline, and its formats."""
