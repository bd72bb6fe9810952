"""Running it for real: housekeeping, metrics, backup, moving, nginx, systemd."""
