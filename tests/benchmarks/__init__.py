"""Benchmarks: they measure us and the raw limit in the same run, and assert nothing."""
