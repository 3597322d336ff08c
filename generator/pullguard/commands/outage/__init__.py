"""`pullguard outage`: which pods cannot come back when a registry is gone."""
