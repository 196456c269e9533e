"""Who is it: users, sessions, what was taken back, and any credential → Principal."""
