"""The rules of ordering."""
