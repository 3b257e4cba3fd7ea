"""Tests of the app ``analysis``."""
