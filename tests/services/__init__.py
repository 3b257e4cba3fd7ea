"""Servers that the tests start by themselves, from wheels, and that end with their parent."""
