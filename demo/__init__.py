"""The demonstration: a service on this machine, evidence of every supported type, tokens verified."""
