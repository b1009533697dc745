"""What every Dockerfile of ours has to keep: each rule gives its complaints, and a name that the tests list."""

import re
from collections.abc import Callable, Iterator

from containers.dockerfile import Dockerfile

Rule = Callable[[Dockerfile], Iterator[str]]
LABELS = ("title", "description", "licenses", "version", "revision")
WITHOUT_PIP = "rm -rf /usr/local/bin/pip* /usr/local/lib/python3.*/site-packages/pip* "
BUILDERS = re.compile(r"\b(apt-get|apk|gcc|g\+\+|make|curl|wget)\b")


def plain_syntax(file: Dockerfile) -> Iterator[str]:
    """Azure's remote builder has no BuildKit, and a syntax line asks a registry."""
    if re.search(r"^#\s*(syntax|escape|check)\s*=", file.text, re.MULTILINE):
        yield "a parser directive"
    for one in file.instructions:
        if one.name != "LABEL" and re.search(r"--(mount|network|security|chmod|link|parents)\b|<<-?\w", one.text):
            yield f"only BuildKit knows this: {one.name} {one.text}"


def base_image(file: Dockerfile) -> Iterator[str]:
    """One base for all stages, which a builder can set."""
    if file.instructions[0].text != "PYTHON_IMAGE=python:3.13-slim" or file.instructions[0].name != "ARG":
        yield "it does not begin with ARG PYTHON_IMAGE=python:3.13-slim"
    for one in file.all("FROM"):
        if not one.text.startswith("${PYTHON_IMAGE}"):
            yield f"FROM {one.text}"


def stages(file: Dockerfile) -> Iterator[str]:
    """What is installed is installed in a stage that is not delivered."""
    if file.last_stage == 0:
        yield "one stage only"
    for one in file.all("RUN", file.last_stage):
        if BUILDERS.search(one.text) or re.search(r"\bpip\d? .*install\b", one.text):
            yield f"the last stage installs: {one.text}"
    if not any(one.text.startswith(WITHOUT_PIP) for one in file.all("RUN", file.last_stage)):
        yield "pip is left in the last stage"


def locked_dependencies(file: Dockerfile) -> Iterator[str]:
    """Hashed dependencies in a layer that a change of code leaves alone."""
    installs = [one for one in file.all("RUN") if " install" in one.text]
    if not installs:
        yield "nothing is installed"
    for one in installs:
        if "--require-hashes" not in one.text or "--only-binary :all:" not in one.text:
            yield f"not locked: {one.text}"
        before = file.instructions[: file.instructions.index(one)]
        if [copy for copy in before if copy.name == "COPY" and "requirements.txt" not in copy.text]:
            yield "code is copied before the dependencies are installed"


def non_root(file: Dockerfile) -> Iterator[str]:
    """A number, so that a host can tell that it is not root."""
    user = file.last("USER")
    if user is None or not re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user.text):
        yield f"USER {user.text if user else 'is not set'}"


def processes(file: Dockerfile) -> Iterator[str]:
    """SIGTERM reaches Python, not a shell; nothing needs what a read-only file system refuses."""
    command = file.last("CMD")
    if command is None or not command.exec_form or command.exec_form[0] != "python":
        yield "CMD is no exec form of python"
    if (entry := file.last("ENTRYPOINT")) is not None and entry.exec_form is None:
        yield "ENTRYPOINT is no exec form"
    needed = {"PYTHONDONTWRITEBYTECODE": "1", "HOME": "/tmp"}
    if not needed.items() <= file.environment().items():
        yield f"ENV does not set {needed}"


def health(file: Dockerfile) -> Iterator[str]:
    """A check that needs nothing but Python, of the port that is exposed."""
    check, port = file.last("HEALTHCHECK"), file.last("EXPOSE")
    if check is None or not check.exec_form:
        yield "HEALTHCHECK is no exec form"
        return
    words = " ".join(check.exec_form)
    if check.exec_form[0] != "python":
        yield f"HEALTHCHECK needs {check.exec_form[0]}"
    if port is None or not re.search(rf"\b{port.text}\b", words):
        yield "HEALTHCHECK asks another port than EXPOSE says"


def labels(file: Dockerfile) -> Iterator[str]:
    """Who made it, of what."""
    text = " ".join(one.text for one in file.all("LABEL", file.last_stage))
    for name in LABELS:
        if not re.search(rf'org\.opencontainers\.image\.{name}="[^"]+"', text):
            yield f"no label {name}"


def copies(file: Dockerfile) -> Iterator[str]:
    """Named files of the image's own folder and of `shared`, which are there."""
    own = file.sources()[0].split("/", maxsplit=1)[0]
    if file.all("ADD"):
        yield "ADD"
    for source in file.sources():
        if source.split("/", maxsplit=1)[0] not in {own, "shared"}:
            yield f"{source} is not its own"
        elif not (file.context / source).exists():
            yield f"{source} is not there"


RULES: list[Rule] = [
    plain_syntax, base_image, stages, locked_dependencies, non_root, processes, health, labels, copies,
]  # fmt: skip


def complaints(file: Dockerfile) -> list[str]:
    """All that all rules have to say."""
    return [f"{rule.__name__}: {complaint}" for rule in RULES for complaint in rule(file)]
