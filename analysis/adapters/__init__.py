"""One module per outside system: video sites."""
