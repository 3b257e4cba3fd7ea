"""What all tests share; each matter is a module in tests/plugins."""

pytest_plugins = [
    "tests.plugins.alone",
    "tests.plugins.caches",
    "tests.plugins.figures",
    "tests.plugins.hearts",
    "tests.plugins.notes",
    "tests.plugins.rounds",
]
