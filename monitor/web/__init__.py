"""Pages, JSON, metrics and the live stream: a route reads, summarises and renders; it decides nothing."""
