"""What the model packages share: data contracts, sessions, streaming, export and the command line."""

__version__ = "0.1.0"
