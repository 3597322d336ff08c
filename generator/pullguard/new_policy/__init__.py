"""`pullguard new-policy`: a policy to start with."""
