"""The Hugging Face Hub: datasets from it, exports to it. Needs huggingface_hub (the extra `hub`)."""
