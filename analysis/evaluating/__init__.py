"""Measures how well places are found and located, over labelled text."""
