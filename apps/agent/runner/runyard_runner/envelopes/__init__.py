"""Call envelopes: how a request reaches the function and how its result travels back, one module each."""
