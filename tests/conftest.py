"""What all tests share; each matter is a module in tests/plugins."""

pytest_plugins = ["tests.plugins.figures", "tests.plugins.rounds", "tests.plugins.hearts"]
