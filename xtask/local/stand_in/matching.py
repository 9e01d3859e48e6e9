"""Which rule of a listener takes a request, by the load balancer's own semantics.

Paths are compared as they came, case-sensitive and without the query; `*` stands for any number of
characters and `?` for exactly one; the lowest priority that fits wins, and the default rule comes last.
"""

import re

FIELDS = {"path-pattern", "host-header", "http-request-method", "http-header"}
"""The conditions that are evaluated here; others are refused when a rule is made."""


def first_match(rules, request):
    """The rule that takes a request; every listener has a default rule, which takes all."""
    return next(rule for rule in sorted(rules, key=_priority) if _takes(rule, request))


def _priority(rule):
    return float("inf") if rule["IsDefault"] else int(rule["Priority"])


def _takes(rule, request):
    return rule["IsDefault"] or all(_fits(condition, request) for condition in rule["Conditions"])


def _fits(condition, request):
    field, values = condition["Field"], condition["Values"]
    if field == "path-pattern":
        return any(_looks_like(request.path, pattern) for pattern in values)
    if field == "host-header":
        host = request.headers.get("host", "").partition(":")[0]
        return any(_looks_like(host.lower(), pattern.lower()) for pattern in values)
    if field == "http-request-method":
        return request.method in values
    header = condition["HttpHeaderConfig"]
    sent = request.headers.get(header["HttpHeaderName"].lower())
    return sent is not None and any(_looks_like(sent.lower(), pattern.lower()) for pattern in header["Values"])


def _looks_like(text, pattern):
    parts = {"*": ".*", "?": "."}
    return re.fullmatch("".join(parts.get(sign) or re.escape(sign) for sign in pattern), text, re.DOTALL) is not None
