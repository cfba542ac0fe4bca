"""Functions whose old signature differs from ours, and small things that only old code asks for."""
