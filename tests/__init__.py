"""The tests; `make test` runs them all (README.md, "Tests")."""
