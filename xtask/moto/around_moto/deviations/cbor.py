"""CloudWatch understands CBOR.

moto: knows no CBOR; a call to `/service/…/operation/…` is 404.
AWS: lists `smithy-rpc-v2-cbor` as the first protocol of CloudWatch, and the SDK for Rust speaks it (1.0, wire protocols).
Needed: for every alarm and dashboard. The call is passed on to moto in JSON, which CloudWatch has, too.
"""

import io
import json
import re

import botocore.session
import cbor2
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

_PATH = re.compile(r"^/service/(?P<target>GraniteServiceVersion20100801)/operation/(?P<operation>\w+)$")


def install():
    DomainDispatcherApplication.__call__ = _translating(DomainDispatcherApplication.__call__)


def _translating(call):
    model = botocore.session.get_session().get_service_model("cloudwatch")

    def translate(self, environ, start_response):
        asked = _PATH.match(environ["PATH_INFO"])
        if asked is None:
            return call(self, environ, start_response)
        question = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        body = json.dumps(cbor2.loads(question) if question else {}).encode()
        environ |= {
            "PATH_INFO": "/",
            "CONTENT_TYPE": "application/x-amz-json-1.0",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_X_AMZ_TARGET": f"{asked['target']}.{asked['operation']}",
            "wsgi.input": io.BytesIO(body),
        }
        told = {}

        def note(status, headers, *_):
            told.update(status=status, headers=headers)
            return lambda _: None

        answer = json.loads(b"".join(call(self, environ, note)) or b"{}")
        if told["status"].startswith("200"):
            answer = _with_times(answer, model.operation_model(asked["operation"]).output_shape)
        body = cbor2.dumps(answer)
        headers = [(name, value) for name, value in told["headers"] if not name.lower().startswith("content-")]
        headers += [("Content-Type", "application/cbor"), ("Content-Length", str(len(body)))]
        start_response(told["status"], [*headers, ("smithy-protocol", "rpc-v2-cbor")])
        return [body]

    return translate


def _with_times(value, shape):
    """JSON has numbers where CBOR has times; only the model tells which are."""
    if shape is None or value is None:
        return value
    if shape.type_name == "structure":
        return {name: _with_times(it, shape.members.get(name)) for name, it in value.items()}
    if shape.type_name == "list":
        return [_with_times(it, shape.member) for it in value]
    return cbor2.CBORTag(1, value) if shape.type_name == "timestamp" else value
