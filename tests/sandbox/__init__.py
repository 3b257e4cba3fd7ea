"""Tests of the sandbox; none of them needs Django."""
