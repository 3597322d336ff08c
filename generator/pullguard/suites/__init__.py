"""`pullguard test`: Gatekeeper's Suites, evaluated by OPA servers or by gator."""
