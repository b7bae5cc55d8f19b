"""The faults that the sandbox can show, and which are in force."""
