"""What a training ran with: versions, device, and the code's own version."""

import platform
from importlib.metadata import PackageNotFoundError, version

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
