"""rego/policies -> Policy."""

from pullguard.policies.model import MatchKinds, Policy, SourceFile, Sources
from pullguard.policies.read import read

__all__ = ["MatchKinds", "Policy", "SourceFile", "Sources", "read"]
