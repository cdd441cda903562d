"""Conditions and updates as frozen nodes, and their rendering. Pure; knows nothing of models or the codec."""
