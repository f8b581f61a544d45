"""What `compare.py` runs in curator's own environment: one question about each picture of a folder.

python curator_program.py URL FOLDER IN_FLIGHT CACHE
"""

import base64
import json
import os
import sys
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

URL, FOLDER, IN_FLIGHT, CACHE = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
os.environ |= {"CURATOR_CACHE_DIR": CACHE, "HF_HOME": CACHE, "TELEMETRY_ENABLED": "0", "OPENAI_API_KEY": "none"}
# Curator counts tokens with a table that is otherwise downloaded; its dependency LiteLLM brings the same one along.
TABLES = find_spec("litellm").submodule_search_locations[0] + "/litellm_core_utils/tokenizers"  # type: ignore[union-attr, index]
os.environ |= {
    "TIKTOKEN_CACHE_DIR": TABLES,
    "HF_HUB_OFFLINE": "1",
    "CURATOR_DISABLE_RICH_DISPLAY": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}

from bespokelabs import curator  # noqa: E402 - reads the environment when it is imported


class Captioner(curator.LLM):  # type: ignore[misc]
    """Asks for a description of the picture at `path`."""

    def prompt(self, input: dict[str, str]) -> tuple[str, object]:  # noqa: A002 - curator calls it by this name
        picture = base64.b64encode(Path(input["path"]).read_bytes()).decode()
        return "Describe this picture.", curator.types.Image(content=picture)

    def parse(self, input: dict[str, str], response: str) -> dict[str, str]:  # noqa: A002
        return {"path": input["path"], "answer": response}


def main() -> None:
    llm = Captioner(
        model_name="gpt-4o-mini",
        backend="openai",
        backend_params={
            "base_url": URL,
            "api_key": "none",
            "max_concurrent_requests": IN_FLIGHT,
            "max_requests_per_minute": 10_000_000,
            "max_tokens_per_minute": 10_000_000_000,
            "require_all_responses": True,
        },
    )
    result = llm([{"path": str(path)} for path in sorted(FOLDER.iterdir())])
    answered = len(result.dataset) if hasattr(result, "dataset") else len(result)
    print(json.dumps({"ended": time.time(), "answered": answered, "version": version("bespokelabs-curator")}))


main()
