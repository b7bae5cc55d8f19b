"""Evidence to judgement: what one run means."""
