"""`pullguard generate`: the library from the policies and a configuration."""
