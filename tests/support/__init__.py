"""The real things that tests run against: PostgreSQL, PgBouncer, Redis, an SMTP sink and the server as a process."""
