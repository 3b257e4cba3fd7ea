"""A server that speaks the REST interfaces of Binance spot and OKX."""
