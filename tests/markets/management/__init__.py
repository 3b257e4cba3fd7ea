"""Tests of markets/management."""
