"""Inline code: a policy, a small world of modules and built-ins, and a result that is cut to its limits."""
