"""Real forward proxies on loopback, good ones and bad ones."""
