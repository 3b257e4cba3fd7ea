"""Tests of markets/api."""
