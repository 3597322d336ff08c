"""A Gatekeeper policy library, and its tool, for pods that must restart without an image registry."""

__version__ = "0.1.0"
