"""Prompts in Markdown, and a small loader for them."""

from xportcn_prompts.loader import PromptText, load_prompt

__all__ = ["PromptText", "load_prompt"]
