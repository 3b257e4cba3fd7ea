"""One module per kind of exchange, all by way of ccxt; they know no models."""
