"""What the reports of several commands share about a format; nothing about what they report."""
