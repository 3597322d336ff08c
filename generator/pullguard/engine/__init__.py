"""The programs that judge: pullguard-check, OPA and conftest, and how policies and batches of objects reach them."""
