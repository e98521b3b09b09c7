"""Work of the usual size: reads some fields of its event and answers with others."""


def greet(events):
    payload = events[0]["payload"]
    items = payload["items"]
    return {"text": f"Hello {payload['name']}", "total": sum(item["amount"] for item in items), "count": len(items)}


function_factory = {"greet": greet}
