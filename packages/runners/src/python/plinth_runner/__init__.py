"""The Python runtime: speaks the runner protocol and runs handlers of packages and inline code."""
