"""The agent skill: `skill.md` with the steps of the prompts in it, so that the two never differ."""

from xportcn_prompts.loader import PromptText, load_prompt

_WORDS = {
    "reorder": {
        "address": "Say where the earlier order went (`ship_to`). Ask the person for the whole address\n"
        "   (name, mobile, province, city, street), or for the name of a saved one; fill in nothing from "
        "memory.",
        "total": "total in",
    },
    "resolve_unknown": {"reference": "REFERENCE", "created_at": "`created_at`"},
}
"""What a skill says where a prompt has the figures of one order."""


def load_skill() -> tuple[dict[str, str], str]:
    """Its front matter, and the whole `SKILL.md` that begins with it."""
    frame = load_prompt("skill")
    front = {
        "name": frame.title,
        "description": frame.description,
        "compatibility": "Needs the tools of the MCP server xportcn-mcp",
    }
    head = "".join(f"{key}: {value}\n" for key, value in front.items())
    steps = {name: _steps(name) for name in ("place_order", "reorder", "resolve_unknown")}
    return front, f"---\n{head}---\n\n{frame.render(**steps)}\n"


def _steps(name: str) -> str:
    """The numbered steps of a prompt, from the first one on."""
    prompt = load_prompt(name)
    text = prompt.text[prompt.text.index("\n1. ") + 1 :]
    return PromptText(name, prompt.title, prompt.description, text).render(**_WORDS.get(name, {}))
