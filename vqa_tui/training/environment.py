"""What a training ran with: versions, device, and the code's own version."""

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = (
    "vqa-tui",
    "torch",
    "transformers",
    "peft",
    "accelerate",
    "bitsandbytes",
    "unsloth",
    "pillow",
    "safetensors",
)


def environment(device: str) -> dict[str, object]:
    """Return facts by name; packages that are not installed are left out. No variable of the environment is in it."""
    packages = {}
    for name in _PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "device": device,
        "packages": packages,
    }


def keep_environment(folder: Path, device: str) -> None:
    """Write them to `environment.json`; what an earlier session ran with is kept as `environment-1.json` and so on."""
    path = folder / "environment.json"
    if path.exists():
        path.replace(folder / f"environment-{len(list(folder.glob('environment*.json')))}.json")
    path.write_text(json.dumps(environment(device), indent=2) + "\n", "utf-8")
