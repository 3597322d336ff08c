"""`pullguard check`: the report of a run, compared with a baseline, and its formats."""
