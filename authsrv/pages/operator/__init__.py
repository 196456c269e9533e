"""`/operator`: who runs the server approves apps, finds what there is, stops what must be stopped, reads the log."""
