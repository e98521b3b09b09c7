"""A memory limit from the inside. The host sets the one that counts; this one makes a MemoryError of what would be a kill."""

_SLACK_BYTES = 32 * 1024 * 1024


def limit_memory(heap_bytes):
    """Lets the process have `heap_bytes` more than it has. Where limits may not be set or sizes not be read, nothing happens."""
    try:
        with open("/proc/self/statm", "rb") as file:
            pages = int(file.read().split()[0])
        import resource

        most = pages * resource.getpagesize() + heap_bytes + _SLACK_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))
    except (ImportError, OSError, ValueError):
        return
