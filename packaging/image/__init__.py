"""Builds the container image of pullguard from Debian's packages, its wheels and kubectl.

It needs no container engine and no root: layers are made in memory, and the archive is written as the image
specification of the Open Container Initiative has it. `python -m image --help` says what it takes. The Dockerfile calls
it as well.
"""
