"""Tests of markets/adapters."""
