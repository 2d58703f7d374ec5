"""A synthetic signer of endorsements of utility virtual machines."""
