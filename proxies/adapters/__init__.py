"""The outside systems the app talks to: published lists, judges, proxies."""
