"""What can fail half-way, made to fail half-way."""
