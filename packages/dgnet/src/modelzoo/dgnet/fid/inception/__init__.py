"""The Inception network of FID: its graph, and its published weights."""
