"""How moments and numbers are written for people."""
