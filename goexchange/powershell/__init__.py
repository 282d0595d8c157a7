"""Host scripts and their contracts, cmdlets, command lines, and the decoding of what comes back."""
