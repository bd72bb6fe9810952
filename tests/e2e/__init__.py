"""The product as a real process: gunicorn, PostgreSQL, SMTP and Chromium."""
