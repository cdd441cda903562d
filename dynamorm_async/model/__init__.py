"""Models: attrs classes with keys, indexes and lifecycle attributes, checked when they are declared."""
