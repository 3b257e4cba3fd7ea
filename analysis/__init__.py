"""From a travel video to places on a map (comes with its own issue)."""
