"""Training: one network as pure functions, and the population that runs many of them."""
