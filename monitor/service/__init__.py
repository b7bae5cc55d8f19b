"""The running application: scheduler, runs, recording, deliveries and the page on one event loop."""
