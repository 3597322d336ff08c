"""What is to be known of a format and nothing of what is reported: every report that has the format uses it."""
