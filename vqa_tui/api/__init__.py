"""The jobs API: trainings started, steered and followed over HTTP, by the same calls as the command line."""
