"""How a trainer, a judge or a server is started: the command, the variables it may see, and what it inherits."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from vqa_tui.config.training import Launch
from vqa_tui.process.devices import CPU

_MODULE = "vqa_tui.training"
_NAMES = frozenset(
    {
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM", "VIRTUAL_ENV",
        "LD_LIBRARY_PATH", "LD_PRELOAD", "XDG_CACHE_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
        "HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_ENDPOINT", "HF_DATASETS_OFFLINE", "HF_HUB_ETAG_TIMEOUT",
        "PYTHONHASHSEED", "PYTHONPATH", "MASTER_ADDR", "MASTER_PORT",
    }
)  # fmt: skip
_FAMILIES = (
    "LC_",
    "CUDA_",
    "NVIDIA_",
    "NCCL_",
    "GLOO_",
    "OMP_",
    "MKL_",
    "TORCH_",
    "PYTORCH_",
    "TORCHELASTIC_",
    "TRITON_",
)
_OURS = "VQA_"
_SECRETS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")


def trainer_command(config: Path, launch: Launch, resume: bool, device: str) -> list[str]:
    """Return the arguments that start the trainer on the configuration at `config`, on a stored `device`.

    `accelerate launch` starts one process on a CPU whatever number it is given (it would have MPI start the others),
    so there, unless a configuration of accelerate's own says more, torchrun starts them.
    """
    program = ["-m", _MODULE, str(config), *(["--resume"] if resume else [])]
    several = launch.processes * launch.machines > 1
    with_accelerate = launch.program == "accelerate"
    if with_accelerate and several and not launch.accelerate_config and device == CPU:
        with_accelerate = False
    if with_accelerate:
        return [sys.executable, "-P", "-m", "accelerate.commands.launch", *_accelerate(launch), *program]
    if launch.program != "python":
        return [sys.executable, "-P", "-m", "torch.distributed.run", *_torchrun(launch), *program]
    return [sys.executable, "-P", *program]


def trainer_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what the trainer may see of `environment`: no key of any endpoint is in it."""
    return {
        name: value
        for name, value in environment.items()
        if (name in _NAMES or name.startswith(_FAMILIES)) and not _is_secret(name)
    } | {"PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1"}


def keeper_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a process that stands over a trainer, a judge or a server may see of `environment`: what these may,
    who can read it there (proc_pid_environ(5)), and our own variables, without keys."""
    ours = {name: value for name, value in environment.items() if name.startswith(_OURS) and not _is_secret(name)}
    return trainer_environment(environment) | ours


def start_in_session(
    command: Sequence[str], folder: Path, log: BinaryIO, variables: Mapping[str, str], held: Sequence[int]
) -> subprocess.Popen[bytes]:
    """Start a command in `folder`, in a session of its own, that writes to `log`, sees what a trainer may and
    `variables`, and inherits the open files `held`, which hold locks as long as any process of it lives. Raises
    OSError."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=trainer_environment(os.environ) | dict(variables),
        cwd=folder,
        start_new_session=True,
        pass_fds=held,
    )


def _is_secret(name: str) -> bool:
    return any(word in name for word in _SECRETS)


def _torchrun(launch: Launch) -> list[str]:
    if launch.machines == 1:
        return ["--standalone", "--nproc_per_node", str(launch.processes)]
    return [
        "--nnodes", str(launch.machines), "--node_rank", str(launch.machine_rank),
        "--nproc_per_node", str(launch.processes),
        "--master_addr", launch.main_address, "--master_port", str(launch.main_port),
    ]  # fmt: skip


def _accelerate(launch: Launch) -> list[str]:
    arguments = ["--config_file", launch.accelerate_config] if launch.accelerate_config else []
    arguments += ["--num_processes", str(launch.processes * launch.machines), "--num_machines", str(launch.machines)]
    if launch.machines > 1:
        arguments += [
            "--machine_rank", str(launch.machine_rank),
            "--main_process_ip", launch.main_address, "--main_process_port", str(launch.main_port),
        ]  # fmt: skip
    elif launch.processes > 1:
        arguments.append("--multi_gpu")
    return arguments
