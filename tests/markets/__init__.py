"""Tests of the app markets."""
