"""Python values to DynamoDB's AttributeValues and back. Pure: no I/O, no event loop."""
