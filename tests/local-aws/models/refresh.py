#!/usr/bin/env python3
"""Takes from AWS's service models what the simulation checks requests against.

    python3 -m venv /tmp/models && /tmp/models/bin/pip install botocore
    /tmp/models/bin/python tests/local-aws/models/refresh.py [FOLDER...]

botocore carries the models that AWS itself publishes. This keeps, for the operations that the sources name (those of
`provision` and of the simulation, and of any FOLDER given), only what can make a request wrong: members, what is
required, lengths, ranges, patterns and enumerations. One file a service, one shape a line; `version.txt` says which
botocore they are from. Run it when `provision` learns a new operation, or to follow AWS.
"""

import json
import pathlib
import re
import sys

import botocore
import botocore.loaders
from botocore import xform_name

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SOURCES = [ROOT / "provision/src", ROOT / "tests/local-aws"]

# The client in `provision::aws::Aws`, the name in requests' signatures, the name in botocore.
SERVICES = [
    ("acm", "acm", "acm"),
    ("autoscaling", "application-autoscaling", "application-autoscaling"),
    ("cloudwatch", "monitoring", "cloudwatch"),
    ("ec2", "ec2", "ec2"),
    ("ecr", "ecr", "ecr"),
    ("ecs", "ecs", "ecs"),
    ("efs", "elasticfilesystem", "efs"),
    ("elb", "elasticloadbalancing", "elbv2"),
    ("iam", "iam", "iam"),
    ("logs", "logs", "logs"),
    ("route53", "route53", "route53"),
    ("secrets", "secretsmanager", "secretsmanager"),
    ("sns", "sns", "sns"),
    ("sts", "sts", "sts"),
    ("waf", "wafv2", "wafv2"),
]

CONSTRAINTS = ("min", "max", "pattern", "enum", "sensitive")


def named_operations(folders):
    """The methods that the sources call on each client, as Rust spells them."""
    clients = "|".join(client for client, _, _ in SERVICES)
    call = re.compile(rf"\b({clients})\s*\.\s*(?:clone\(\)\s*\.\s*)?([a-z0-9_]+)\(\)")
    found = {}
    for folder in folders:
        for source in sorted(folder.rglob("*.rs")):
            for client, method in call.findall(source.read_text(encoding="utf-8")):
                found.setdefault(client, set()).add(method)
    return found


def wire_name(protocol, name, member):
    """What a member is called in a request."""
    if protocol == "ec2":
        if "queryName" in member:
            return member["queryName"]
        location = member.get("locationName", name)
        return location[0].upper() + location[1:]
    return member.get("locationName", name)


def structure(protocol, shape):
    members = shape.get("members", {})
    names = {name: wire_name(protocol, name, member) for name, member in members.items()}
    kept = {"members": {names[name]: member["shape"] for name, member in members.items()}}
    if shape.get("required"):
        kept["required"] = [names[name] for name in shape["required"]]
    if shape.get("union"):
        kept["union"] = True
    return kept


def listing(protocol, shape):
    kept = {"member": shape["member"]["shape"]}
    if protocol in ("query", "rest-xml") and not shape.get("flattened"):
        kept["item"] = shape["member"].get("locationName", "member")
    return kept


def mapping(shape):
    return {side: shape[side]["shape"] for side in ("key", "value")}


def constraints_of(protocol, shape):
    """A shape without what cannot make a request wrong."""
    kind = shape["type"]
    kept = {"type": kind} | {key: shape[key] for key in CONSTRAINTS if key in shape}
    if kind == "structure":
        kept |= structure(protocol, shape)
    elif kind == "list":
        kept |= listing(protocol, shape)
    elif kind == "map":
        kept |= mapping(shape)
    return kept


def neighbours(shape):
    """The shapes that a shape consists of."""
    members = [member["shape"] for member in shape.get("members", {}).values()]
    return members + [shape[part]["shape"] for part in ("member", "key", "value") if part in shape]


def reachable(model, roots):
    shapes, waiting = {}, list(roots)
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            waiting += neighbours(shapes[name])
    return dict(sorted(shapes.items()))


def extract(model, methods):
    """The named operations with all shapes of their inputs."""
    protocol = model["metadata"]["protocol"]
    operations = {
        name: operation.get("input", {}).get("shape")
        for name, operation in sorted(model["operations"].items())
        if xform_name(name) in methods
    }
    shapes = reachable(model, [shape for shape in operations.values() if shape])
    shapes = {name: constraints_of(protocol, shape) for name, shape in shapes.items()}
    return {"protocol": protocol, "operations": operations, "shapes": shapes}


def written(document):
    """JSON with a line for each operation and shape, so that a change of AWS's is seen as one."""
    parts = [f'"protocol": {json.dumps(document["protocol"])}']
    for part in ("operations", "shapes"):
        lines = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in document[part].items()]
        parts.append(f'"{part}": {{\n' + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main():
    loader = botocore.loaders.Loader()
    found = named_operations(SOURCES + [pathlib.Path(folder) for folder in sys.argv[1:]])
    for client, signature, name in SERVICES:
        model = loader.load_service_model(name, "service-2")
        document = extract(model, found.get(client, set()))
        (HERE / f"{signature}.json").write_text(written(document), encoding="utf-8")
        print(f"{signature}: {len(document['operations'])} operations, {len(document['shapes'])} shapes")
    (HERE / "version.txt").write_text(f"botocore {botocore.__version__}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
