"""Starts moto's server on a free port of this machine, and writes that port on standard output."""

import argparse
import logging
import signal
import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from around_moto import deviations


class OneAtATime:
    """moto keeps its state without locks, so a call is answered before the next one begins."""

    def __init__(self, application):
        self._application, self._turn = application, threading.Lock()

    def __call__(self, environ, start_response):
        with self._turn:
            return list(self._application(environ, start_response))


def main():
    parser = argparse.ArgumentParser(prog="around_moto")
    parser.add_argument("--list", action="store_true", help="only tell what is changed in moto, and why")
    parser.add_argument("--without", metavar="NAME", help="leave one deviation out")
    arguments = parser.parse_args()
    if arguments.list:
        print(deviations.described())
        return
    deviations.install(without=arguments.without)
    # Whoever started us reads the calls that failed, not each one.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = OneAtATime(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    print(server.port, flush=True)
    server.serve_forever()


main()
