"""What an assistant may do with Xportcn orders: three tools, and all that stands under them."""
