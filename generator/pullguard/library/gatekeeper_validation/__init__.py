"""What Gatekeeper accepts: ConstraintTemplates, constraints and their parameters."""
