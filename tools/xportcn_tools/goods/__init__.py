"""Goods: links, products as the upstream describes them, options in words, advice on quantities."""
