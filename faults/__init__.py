"""The catalogue of disturbances, and the suites that use them."""
