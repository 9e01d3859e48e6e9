"""Small servers on this machine, as targets of a load balancer."""

import http.server
import json
import threading


class Target:
    """Answers with what it was asked, and is as ill, slow or broken as its path says."""

    def __init__(self, name, address):
        self.name, self.address, self.well = name, address, True
        self.go_on, self.left = threading.Event(), threading.Event()
        self._server = http.server.ThreadingHTTPServer((address, 0), self._handler())
        self._server.daemon_threads = True
        # Who asks may leave at any time.
        self._server.handle_error = lambda *_: None
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()

    def close(self):
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(target):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if self.path == "/health":
                    self.answer(200 if target.well else 500, b"")
                elif self.path == "/events":
                    self.events()
                elif self.path == "/silent":
                    target.go_on.wait(30)
                elif self.path == "/broken":
                    self.wfile.write(b"this is not HTTP\r\n\r\n")
                    self.close_connection = True
                else:
                    body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                    told = {"target": target.name, "path": self.path, "headers": dict(self.headers), "body": body}
                    self.answer(200, json.dumps(told).encode())

            do_POST = do_GET

            def answer(self, status, body):
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def events(self):
                """One event, and the next one only when it is told to."""
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("connection", "close")
                self.end_headers()
                self.wfile.write(b"data: 1\n\n")
                target.go_on.wait(30)
                try:
                    while not target.left.wait(0.05):
                        self.wfile.write(b"data: 2\n\n")
                except OSError:
                    target.left.set()

            def log_message(self, *_):
                pass

        return Handler
