"""What pytest does here beyond its own: one module per matter, named in tests/conftest.py."""
