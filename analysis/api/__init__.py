"""Analyses over REST."""
