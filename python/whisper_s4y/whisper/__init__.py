"""The names of the first whisper-s4y."""
