"""What the web page is made of comes along: in the wheel, and in the image."""

import zipfile
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "services"
WEB = SERVICES / "client-scheduler" / "monitor_client" / "web"


def parts() -> set[str]:
    """Every file of the page that is no module, from the package's root."""
    files = [file for folder in ("templates", "static") for file in (WEB / folder).iterdir()]
    return {file.relative_to(WEB.parents[1]).as_posix() for file in files}


def test_the_wheel_has_every_template_style_and_script(tmp_path: Path) -> None:
    wheel = next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"]))
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    assert len(parts()) > 15
    assert parts() <= names


def test_the_image_has_them_too() -> None:
    dockerfile = (SERVICES / "client-scheduler" / "Dockerfile").read_text()
    assert "COPY client-scheduler/monitor_client client-scheduler/monitor_client" in dockerfile
    left_out = [line for line in (SERVICES / ".dockerignore").read_text().splitlines() if line.startswith("**/")]
    assert left_out
    assert not [name for name in parts() for pattern in left_out if Path(name).match(pattern.removeprefix("**/"))]
