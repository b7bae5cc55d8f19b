"""Windows with neighbours and history give a diagnosis: scope, blame, controls."""
