"""The egress pool: finds proxies, proves them, lends each to one holder at a time."""
