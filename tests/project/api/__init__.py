"""Tests of the HTTP edges that all apps share."""
