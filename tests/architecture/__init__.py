"""Tests of the code base itself."""
