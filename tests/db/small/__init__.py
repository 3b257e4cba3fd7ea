"""An app for the test runner."""
