"""A Dockerfile as its instructions: as much of the format as ours use."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Instruction:
    """`RUN pip install ...`: its name, what follows in one line, and the number of its stage, from 0."""

    name: str
    text: str
    stage: int

    @property
    def exec_form(self) -> list[str] | None:
        """The words of the exec form; None in the shell form."""
        text = self.text[self.text.find("[") :] if "[" in self.text else ""
        try:
            words = json.loads(text)
        except ValueError:
            return None
        return words if isinstance(words, list) else None


class Dockerfile:
    """An image's recipe, and the folder that it is built from."""

    def __init__(self, text: str, context: Path) -> None:
        self.text = text
        self.context = context
        self.instructions = _instructions(text)

    @classmethod
    def read(cls, path: str, context: str) -> "Dockerfile":
        """The recipe at `path`, both relative to the repository."""
        return cls((ROOT / path).read_text(), ROOT / context)

    @property
    def last_stage(self) -> int:
        return self.instructions[-1].stage

    def all(self, name: str, stage: int | None = None) -> list[Instruction]:
        """Every instruction of that name (in a stage)."""
        return [one for one in self.instructions if one.name == name and stage in {None, one.stage}]

    def last(self, name: str) -> Instruction | None:
        """What counts in the image: the last one of the last stage."""
        return next(reversed(self.all(name, self.last_stage)), None)

    def environment(self) -> dict[str, str]:
        """What ENV sets in the last stage."""
        text = " ".join(one.text for one in self.all("ENV", self.last_stage))
        return dict(re.findall(r"(\w+)=(\S+)", text))

    def sources(self) -> list[str]:
        """What is copied from the context."""
        words = [one.text.split() for one in self.all("COPY") if "--from" not in one.text]
        return [source for one in words for source in one[:-1]]


def _instructions(text: str) -> list[Instruction]:
    uncommented = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", "", uncommented)
    instructions: list[Instruction] = []
    stage = -1
    for line in filter(str.strip, joined.splitlines()):
        name, _, rest = line.strip().partition(" ")
        stage += name.upper() == "FROM"
        instructions.append(Instruction(name.upper(), rest.strip(), max(stage, 0)))
    return instructions
