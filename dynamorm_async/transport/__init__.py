"""One narrow seam to the network, and the two lanes behind it."""
