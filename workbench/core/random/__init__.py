"""Streams of random numbers: states that are data, and the objects that hand out variables."""
