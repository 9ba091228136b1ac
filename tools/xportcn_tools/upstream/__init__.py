"""The signed HTTP client for the Xportcn API."""
