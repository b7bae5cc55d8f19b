"""The pages: one module each, beside the template of the same name."""
