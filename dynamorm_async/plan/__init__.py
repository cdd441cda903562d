"""Requests, from arguments: what is sent, under which condition, and what it means for the instance. Pure."""
