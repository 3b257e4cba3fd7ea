"""What deploy/ holds: checked against the tools that read it, and against the product."""
