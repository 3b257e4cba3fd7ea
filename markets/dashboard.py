"""Figures, issues: filled below."""
