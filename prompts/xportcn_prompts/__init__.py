"""Prompts in Markdown, and a small loader for them."""

from xportcn_prompts.loader import PromptText, load_prompt
from xportcn_prompts.skill import load_skill

__all__ = ["PromptText", "load_prompt", "load_skill"]
