"""Tests of markets/admin."""
