"""What is so unless it is stated otherwise; nothing is imported here, so that pullguard-check is started at once."""

#: The largest document, in bytes, and how deep mappings and lists may be nested.
MAX_DOCUMENT = 256 * 2**20
MAX_DEPTH = 500
