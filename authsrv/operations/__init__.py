"""What runs beside requests: commands, the feed, pruning, probes and metrics."""
