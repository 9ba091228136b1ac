"""Loads a prompt: a Markdown file with a title line, a description paragraph and the text after `---`."""

from dataclasses import dataclass
from importlib.resources import files
from string import Template


@dataclass(frozen=True)
class PromptText:
    """A prompt as it is written. `render` fills its `$name` places."""

    name: str
    title: str
    description: str
    text: str

    def render(self, **values: str) -> str:
        """The text with its places filled.

        Raises:
            KeyError: a place has no value.
        """
        return Template(self.text).substitute(values)


def load_prompt(name: str) -> PromptText:
    """The prompt `name.md` of this package."""
    source = files("xportcn_prompts").joinpath(f"{name}.md").read_text(encoding="utf-8")
    head, text = source.split("\n---\n", 1)
    title, description = head.split("\n", 1)
    return PromptText(name, title.removeprefix("# ").strip(), " ".join(description.split()), text.strip())
