"""Tests of the floor, of settings and of the edges that all apps share."""
