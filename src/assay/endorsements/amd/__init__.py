"""What AMD signs: endorsement keys of chips and clouds, their authorities, revocation lists."""
