"""What both protocols of the sandbox share."""
