"""Benchmarks: one file per claim, our way and its peers side by side.

``python -m benchmarks.rfm`` runs one and prints JSON lines; ``python -m benchmarks`` runs all and writes README.md.
"""
