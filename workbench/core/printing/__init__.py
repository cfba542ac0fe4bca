"""Graphs, functions and profiles as text."""
