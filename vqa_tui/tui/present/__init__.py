"""Pure functions from the domain to what a screen shows; foreign text becomes Content only here."""
