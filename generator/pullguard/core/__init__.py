"""What every command shares: values, errors, files, programs, formats; it imports nothing of pullguard from above."""
