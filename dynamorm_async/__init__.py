"""Async-first DynamoDB ORM."""
