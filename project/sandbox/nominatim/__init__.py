"""A geocoder that speaks Nominatim's wire format."""
