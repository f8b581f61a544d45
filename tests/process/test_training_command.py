"""The command that starts a trainer for each launcher, and the variables that it may see."""

import sys
from pathlib import Path

from vqa_tui.config.training import Launch
from vqa_tui.process.training_command import trainer_command, trainer_environment

CONFIG = Path("/x/config.json")
TRAINER = ["-m", "vqa_tui.training", "/x/config.json"]
TORCHRUN = [sys.executable, "-P", "-m", "torch.distributed.run"]
ACCELERATE = [sys.executable, "-P", "-m", "accelerate.commands.launch"]


def test_one_process() -> None:
    assert trainer_command(CONFIG, Launch(), False, "cpu") == [sys.executable, "-P", *TRAINER]
    assert trainer_command(CONFIG, Launch(), True, "gpu 1")[-1] == "--resume"


def test_torchrun_on_one_machine_and_on_several() -> None:
    assert trainer_command(CONFIG, Launch(program="torchrun", processes=2), False, "cpu") == [
        *TORCHRUN, "--standalone", "--nproc_per_node", "2", *TRAINER,
    ]  # fmt: skip
    several = Launch(program="torchrun", processes=8, machines=2, machine_rank=1, main_address="10.0.0.1")
    assert trainer_command(CONFIG, several, False, "gpu") == [
        *TORCHRUN, "--nnodes", "2", "--node_rank", "1", "--nproc_per_node", "8", "--master_addr", "10.0.0.1",
        "--master_port", "29500", *TRAINER,
    ]  # fmt: skip


def test_accelerate_on_gpus() -> None:
    assert trainer_command(CONFIG, Launch(program="accelerate", processes=4), False, "gpu") == [
        *ACCELERATE, "--num_processes", "4", "--num_machines", "1", "--multi_gpu", *TRAINER,
    ]  # fmt: skip
    several = Launch(program="accelerate", processes=4, machines=2, machine_rank=1, main_address="a", main_port=1234)
    assert trainer_command(CONFIG, several, False, "gpu") == [
        *ACCELERATE, "--num_processes", "8", "--num_machines", "2", "--machine_rank", "1", "--main_process_ip", "a",
        "--main_process_port", "1234", *TRAINER,
    ]  # fmt: skip


def test_accelerate_reads_the_file_that_shards() -> None:
    launch = Launch(program="accelerate", processes=2, accelerate_config="/x/fsdp.yaml")
    for device in ("gpu", "cpu"):
        command = trainer_command(CONFIG, launch, False, device)
        assert command[: len(ACCELERATE) + 2] == [*ACCELERATE, "--config_file", "/x/fsdp.yaml"]


def test_on_a_cpu_torchrun_stands_in_for_accelerate() -> None:
    """`accelerate launch --cpu --num_processes 2` ends with 0 and has started one process."""
    command = trainer_command(CONFIG, Launch(program="accelerate", processes=2), False, "cpu")
    assert command == [*TORCHRUN, "--standalone", "--nproc_per_node", "2", *TRAINER]
    alone = trainer_command(CONFIG, Launch(program="accelerate"), False, "cpu")
    assert alone[: len(ACCELERATE)] == ACCELERATE and "--multi_gpu" not in alone


def test_what_a_trainer_sees_of_the_environment() -> None:
    given = {
        "PATH": "/bin", "CUDA_VISIBLE_DEVICES": "1", "NCCL_DEBUG": "INFO", "HF_HOME": "/hub", "LC_ALL": "C",
        "GEMINI_API_KEY": "planted", "HF_TOKEN": "planted", "TORCH_SECRET": "planted", "NVIDIA_API_KEY": "planted",
        "MY_PASSWORD": "planted", "EDITOR": "vi", "GOOGLE_APPLICATION_CREDENTIALS": "planted",
    }  # fmt: skip
    seen = trainer_environment(given)
    assert seen == {
        "PATH": "/bin", "CUDA_VISIBLE_DEVICES": "1", "NCCL_DEBUG": "INFO", "HF_HOME": "/hub", "LC_ALL": "C",
        "PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1",
    }  # fmt: skip
