"""Running the product: the embedded broker, the supervisor and its children."""
