"""The request for a training that Model Garden's documents give."""

SEED = {
    "name": "my-vision-model",
    "base_model": "Qwen/Qwen2.5-VL-3B-Instruct",
    "dataset_path": "./data/vision_dataset.jsonl",
    "output_dir": "./models/my-vision-model",
    "is_vision": True,
    "model_type": "vision",
    "hyperparameters": {
        "learning_rate": 0.00002,
        "num_epochs": 3,
        "batch_size": 1,
        "gradient_accumulation_steps": 8,
        "max_steps": -1,
    },
    "lora_config": {"r": 16, "lora_alpha": 16},
}
"""Model Garden's own example, as it stands in its documents."""
