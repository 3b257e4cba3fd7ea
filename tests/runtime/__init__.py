"""Tests of the embedded runtime: broker, supervisor, bootstrap."""
