"""What `cargo xtask` asks the stand-in itself: who it is, what is left in it, and to write its state down."""

import json
import os

import ministack.app
from ministack.core.persistence import save_all

from stand_in import front, settings


def install():
    # ministack serves whatever its module calls the application.
    ministack.app.app = _with_control(ministack.app.app)


def _with_control(application):
    async def serve(scope, receive, send):
        path = scope.get("path", "")
        answer = _ANSWERS.get(path) if scope["type"] == "http" else None
        if answer is None:
            await application(scope, receive, send)
            return
        body = json.dumps(answer()).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})

    return serve


def _status():
    listeners = front.addresses()
    return {"identity": settings.IDENTITY, "engine": settings.ENGINE, "process": os.getpid(), "listeners": listeners}


def _save():
    """After a deploy, so that a stand-in that is killed has not forgotten it."""
    save_all(ministack.app._build_persistence_save_dict())
    return {}


def _owned():
    """Everything that carries the deploy tool's tags and still lives."""
    found = []
    for service, state in ministack.app._build_persistence_save_dict().items():
        found += [f"{service}: {name}" for name in _owned_in(state() or {})]
    return sorted(found)


_TAG = "provision:app"
_GONE = {"INACTIVE", "DELETE_IN_PROGRESS", "STOPPED"}


def _owned_in(state):
    owned, tagged, alive = set(), set(), set()
    for store, entries in state.items():
        for name, record in _entries(entries):
            if store.strip("_") == "tags":
                # Tags are kept apart from what they belong to, and often outlive it.
                tagged.update([name] if _has_tag(record) else [])
                continue
            texts = [value for value in record.values() if isinstance(value, str)] if isinstance(record, dict) else []
            if not _GONE.intersection(texts):
                alive.update([name, *texts])
                owned.update([name] if _has_tag(record) else [])
    return owned | (tagged & alive)


def _entries(store):
    if hasattr(store, "_data"):
        # ministack's stores are keyed by account, region and name.
        return [(key[-1], value) for key, value in store._data.items()]
    return list(store.items()) if isinstance(store, dict) else []


def _has_tag(node):
    if isinstance(node, dict):
        return _TAG in node or _TAG in (node.get("Key"), node.get("key")) or any(map(_has_tag, node.values()))
    return isinstance(node, list) and any(map(_has_tag, node))


_ANSWERS = {"/_stand_in/status": _status, "/_stand_in/save": _save, "/_stand_in/owned": _owned}
