"""The load balancer in small: every request goes where the listeners and rules that were created send it.

As on AWS: healthy targets only, unless there is none; `X-Forwarded-*` and the trace id; 503 without a target,
502 when it refuses or breaks off, 504 when it is silent for too long, 408 when the client is; answers pass
through as they come, so that a stream of events is one. WebSockets are not passed on.
"""

import asyncio
from types import SimpleNamespace

import httpcore
from ministack.core.responses import request_scope
from ministack.services import alb

from stand_in import answers, balancing, matching, settings, tasks

_CONNECT_SECONDS = 10
# These belong to one connection, and there are two.
_OF_A_CONNECTION = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}


class _Gone(Exception):
    """The client has left."""


def idle_seconds(load_balancer):
    """How long a connection may be silent."""
    return int(alb._lb_attr(load_balancer, "idle_timeout.timeout_seconds", "60"))


def listeners():
    """The listeners of the load balancers that exist, each with its account and region."""
    for (account, region, _arn), listener in alb._listeners.all_items():
        if alb._lbs.get_scoped(account, region, listener["LoadBalancerArn"]):
            yield (account, region), listener


def application(port):
    """Answers the requests that come to the listener on a port."""

    async def serve(scope, receive, send):
        if scope["type"] == "lifespan":
            while (event := await receive())["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": event["type"] + ".complete"})
            return
        found = next((it for it in listeners() if it[1]["Port"] == port), None)
        if found is None or scope["type"] != "http":
            raise ConnectionRefusedError(f"no listener on port {port} for {scope['type']}")
        with request_scope(*found[0]):
            await _Exchange(found[1], scope, receive, send).answer()

    return serve


class _Exchange:
    """One request and its answer."""

    def __init__(self, listener, scope, receive, send):
        self._listener, self._receive, self._send = listener, receive, send
        self._idle = idle_seconds(listener["LoadBalancerArn"])
        self._client = scope["client"][0]
        headers = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
        joined = {name: ("; " if name == "cookie" else ", ").join(values) for name, values in headers.items()}
        path = scope["raw_path"].partition(b"?")[0].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        self._request = SimpleNamespace(method=scope["method"], path=path, query=query, headers=joined)
        self._begun = False

    async def answer(self):
        rules = [rule for rule in alb._rules.values() if rule["ListenerArn"] == self._listener["ListenerArn"]]
        action = max(matching.first_match(rules, self._request)["Actions"], key=lambda it: int(it["Order"]))
        if action["Type"] == "redirect":
            reply = answers.redirect(action["RedirectConfig"], self._request, self._listener, settings.LISTENERS)
        elif action["Type"] == "fixed-response":
            reply = answers.fixed(action["FixedResponseConfig"])
        else:
            reply = await self._forwarded(action["TargetGroupArn"])
        if reply:
            await self._reply(*reply)

    async def _reply(self, status, headers, body):
        own = [] if self._attribute("routing.http.response.server.enabled") == "false" else [("server", "awselb/2.0")]
        await self._begin(status, [*own, *headers.items(), ("content-length", str(len(body)))])
        await self._send({"type": "http.response.body", "body": body})

    async def _begin(self, status, headers):
        inserted = {
            header.lower(): value for name, header in alb._LISTENER_RESPONSE_HEADERS.items() if (value := self._attribute(name))
        }
        kept = [(name.lower(), value) for name, value in headers if name.lower() not in inserted]
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in [*kept, *inserted.items()]]
        self._begun = True
        await self._send({"type": "http.response.start", "status": status, "headers": encoded})

    def _attribute(self, name):
        attributes = alb._listener_attrs.get(self._listener["ListenerArn"], [])
        return next((it["Value"] for it in attributes if it["Key"] == name), None)

    async def _forwarded(self, group):
        """Passes request and answer on; gives the answer when there is none to pass."""
        target = balancing.choose(group) if group in alb._tgs else None
        if target is None:
            return answers.page(503)
        place = tasks.place(*target)
        if place is None:
            # The task has just ended: nothing listens there.
            return answers.page(502)
        try:
            body, complete = await self._next_part()
        except asyncio.TimeoutError:
            return answers.page(408)
        except _Gone:
            return None
        try:
            await self._pass_on(place, None if complete and not body else self._body(body, complete))
        except (httpcore.TimeoutException, asyncio.TimeoutError):
            return self._failed(504)
        except (httpcore.NetworkError, httpcore.ProtocolError):
            return self._failed(502)
        except _Gone:
            pass
        return None

    def _failed(self, status):
        if self._begun:
            # Too late for a page: the client sees the answer break off.
            raise ConnectionAbortedError("the target broke off its answer")
        return answers.page(status)

    async def _pass_on(self, place, body):
        sending = asyncio.ensure_future(self._ask(place, body))
        leaving = asyncio.ensure_future(self._client_leaves(body))
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        if not sending.done():
            # Nobody reads the answer any more, so the target need not go on.
            sending.cancel()
            await asyncio.wait({sending})
            raise _Gone
        sending.result()

    async def _client_leaves(self, body):
        if body is not None:
            await body.complete.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _ask(self, place, body):
        query = f"?{self._request.query}" if self._request.query else ""
        (host, port), target = place, (self._request.path + query).encode("latin-1")
        url = httpcore.URL(scheme=b"http", host=host.encode(), port=port, target=target)
        times = {"connect": _CONNECT_SECONDS, "read": self._idle, "write": self._idle}
        # A connection of its own for each request: tasks come and go.
        async with httpcore.AsyncConnectionPool(max_keepalive_connections=0) as pool:
            asked = pool.stream(self._request.method, url, headers=self._headers(), content=body, extensions={"timeout": times})
            async with asked as response:
                headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers]
                await self._begin(response.status, [it for it in headers if it[0].lower() not in _OF_A_CONNECTION])
                async for chunk in response.aiter_stream():
                    await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
        await self._send({"type": "http.response.body", "body": b""})

    def _headers(self):
        load_balancer = self._listener["LoadBalancerArn"]
        headers = alb._target_headers(load_balancer, self._listener, self._request.headers, self._client)
        if alb._lb_attr(load_balancer, "routing.http.preserve_host_header.enabled", "false") != "true":
            headers["host"] = alb._target_host_header(headers.get("host", ""), self._listener["Port"])
        return {name: value for name, value in headers.items() if name not in _OF_A_CONNECTION}

    async def _next_part(self):
        part = await asyncio.wait_for(self._receive(), self._idle)
        if part["type"] == "http.disconnect":
            raise _Gone
        return part.get("body", b""), not part.get("more_body", False)

    def _body(self, first, complete):
        return _Body(first, complete, self._next_part)


class _Body:
    """The body of a request, part by part."""

    def __init__(self, first, is_complete, next_part):
        self.complete = asyncio.Event()
        self._part, self._next_part = (first, is_complete), next_part

    async def __aiter__(self):
        part, is_complete = self._part
        while True:
            if part:
                yield part
            if is_complete:
                break
            part, is_complete = await self._next_part()
        self.complete.set()
