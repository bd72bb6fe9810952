"""Signing in at real OpenID providers, as guests and as those who would like to be taken for them."""
