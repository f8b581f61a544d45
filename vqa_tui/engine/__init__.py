"""One run from its start to its end, with nobody watching."""
