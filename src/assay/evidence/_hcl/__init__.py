"""What confidential VMs of Azure share: the report of the host compatibility layer and its runtime claims."""
