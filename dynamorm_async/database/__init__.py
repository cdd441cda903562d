"""``Database`` and its builders: requests from ``plan``, sent through ``transport``, answers as models."""
