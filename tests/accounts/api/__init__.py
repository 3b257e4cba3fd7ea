"""Tests of recognising callers."""
