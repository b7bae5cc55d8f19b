"""What all pages share: context, rendering, security, query parameters, times, charts."""
