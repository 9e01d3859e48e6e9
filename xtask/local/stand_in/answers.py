"""What the load balancer says itself: its error pages, redirects and fixed answers."""

from http import HTTPStatus

# Where the load balancer's words are not those of the standard.
_WORDS = {408: "Request Time-out", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}


def page(status):
    """An answer without a target: its headers and its page."""
    title = f"{status} {_WORDS.get(status) or HTTPStatus(status).phrase}"
    lines = ["<html>", f"<head><title>{title}</title></head>", "<body>", f"<center><h1>{title}</h1></center>"]
    lines += ["</body>", "</html>", ""]
    return status, {"content-type": "text/html"}, "\r\n".join(lines).encode()


def fixed(config):
    """The answer that a rule gives by itself."""
    return int(config["StatusCode"]), {"content-type": config["ContentType"]}, config["MessageBody"].encode()


def redirect(config, request, listener, ports):
    """Sends the client elsewhere; here, a listener's port is the one that it has on this machine."""
    here, _, _ = request.headers.get("host", "").partition(":")
    parts = {
        "#{protocol}": listener["Protocol"].lower(),
        "#{host}": here,
        "#{port}": str(listener["Port"]),
        "#{path}": request.path.lstrip("/"),
        "#{query}": request.query,
    }
    protocol, host, port, path, query = (
        _filled(config[name], parts) for name in ("Protocol", "Host", "Port", "Path", "Query")
    )
    port = ports.get(int(port), port) if host == here else port
    location = f"{protocol.lower()}://{host}:{port}{path}" + (f"?{query}" if query else "")
    status, headers, body = page(int(config["StatusCode"].removeprefix("HTTP_")))
    return status, headers | {"location": location}, body


def _filled(text, parts):
    for name, value in parts.items():
        text = text.replace(name, value)
    return text
