"""The version of Segmentry, for whatever has to notice another one."""

__version__ = "0.1.0"
