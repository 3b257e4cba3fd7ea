"""Users, API keys, plans and quotas, devices: who may do what."""
