"""`pullguard completion`, and the manual page: what is made from the parser of the command line."""
