"""The functions of the package, by the names of the manifest."""

import re


def score(events):
    """How many of the configured words a text has, and whether the token of the CRM was delivered."""
    event = events[0]
    text = str(event["payload"].get("text", ""))
    words = event["input_data"]["global_values"]["words"]
    found = [word for word in words if re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE)]
    print(f"{len(found)} of {len(words)} words")
    return {"score": len(found), "words": found, "connected": bool(event["input_data"]["keyrings"].get("crm"))}


def check_configuration(events):
    """Throws what people read when the configuration is refused."""
    words = events[0]["input_data"]["global_values"]["words"]
    if not words:
        raise ValueError("Give at least one word.")
    return {}


function_factory = {"score": score, "check_configuration": check_configuration}
