"""What a request costs, measured beside a bare Starlette in the same run."""
