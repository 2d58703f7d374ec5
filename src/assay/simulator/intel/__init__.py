"""The synthetic Intel: certificates, platforms, quotes and collateral (quote-verification sections 1 to 3)."""
