"""Tasks without a container engine: plain processes.

It has the part of a Docker client that ministack uses. The program still comes out of the pushed image,
with every part checked against its digest, and runs with the task definition's environment and secrets.
What a container would give it, it lacks: the user, the read-only root, the limits. Paths and ports that
only a container could have are translated to this machine's.
"""

import os
import signal
import socket
import subprocess
import threading
import time
from types import SimpleNamespace

import ministack.app
from ministack.services import ecs

from stand_in import settings
from stand_in.registry import Image

_RUNNING = settings.FOLDER / "run" / "processes"


def install():
    client = Client()
    ecs._docker = client
    ministack.app._docker_socket_present = lambda: False
    ministack.app._reaper_docker_client = lambda: client


def end_left_overs():
    """Ends the processes of a stand-in that was killed; a number that means another program by now is spared."""
    _RUNNING.mkdir(parents=True, exist_ok=True)
    for note in _RUNNING.iterdir():
        try:
            if os.readlink(f"/proc/{note.name}/exe").startswith(note.read_text()):
                os.kill(int(note.name), signal.SIGKILL)
        except OSError:
            # It is gone already.
            pass
        note.unlink(missing_ok=True)


class Client:
    """The containers and images of this machine, which are processes and folders."""

    def __init__(self):
        self.containers = _Containers()
        self.images = _Images()


class _Images:
    def pull(self, reference, **_):
        return _unpacked(reference)

    def get(self, reference):
        return _unpacked(reference)


def _unpacked(reference):
    """The folder with the files of an image, unpacked once."""
    image = Image(reference)
    folder = settings.FOLDER / "images" / image.digest.replace(":", "-")
    if not folder.exists():
        unfinished = folder.with_suffix(".unfinished")
        unfinished.mkdir(parents=True, exist_ok=True)
        for layer in image.layers():
            layer.extractall(unfinished, filter="data")
        unfinished.rename(folder)
    return SimpleNamespace(folder=folder, config=image.config["config"])


class _Containers:
    def __init__(self):
        self._known = {}

    def run(self, reference, **options):
        process = Process(_unpacked(reference), options)
        self._known[process.id] = process
        return process

    def get(self, identifier):
        return self._known[identifier]

    def list(self, **_):
        return [process for process in self._known.values() if process.status == "running"]


class Process:
    """A process with the face of a container."""

    client = None

    def __init__(self, image, options):
        self.name, self.labels = options["name"], options["labels"]
        self._image = image
        self._translate = _Translation(options)
        self._environment = {name: self._translate.value(value) for name, value in options["environment"].items()}
        folder = settings.FOLDER / "logs" / "tasks"
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / f"{self.name}.log"
        entry = options.get("entrypoint") or image.config.get("Entrypoint") or []
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command([*entry, *(options.get("command") or image.config.get("Cmd") or [])]),
                env=self._environment,
                cwd=image.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.id = f"process-{self._process.pid}"
        self._note = _RUNNING / str(self._process.pid)
        self._note.write_text(str(image.folder))
        threading.Thread(target=self._take_note_of_the_end, daemon=True).start()

    def _take_note_of_the_end(self):
        self._process.wait()
        self._note.unlink(missing_ok=True)

    def _command(self, words):
        return [str(self._image.folder / words[0].lstrip("/")), *words[1:]]

    @property
    def status(self):
        return "running" if self._process.poll() is None else "exited"

    @property
    def attrs(self):
        bindings = {f"{port}/tcp": [{"HostPort": there}] for port, there in self._translate.ports.items()}
        return {"NetworkSettings": {"Ports": bindings}}

    def reload(self):
        """A process is looked at anew each time."""

    def wait(self):
        code = self._process.wait()
        return {"StatusCode": code if code >= 0 else 128 - code}

    def logs(self, stream=False, tail=None, **_):
        if not stream:
            return b"\n".join(self._log.read_bytes().splitlines()[-(tail or 0) :])
        return self._follow()

    def _follow(self):
        with self._log.open("rb") as log:
            while True:
                ended = self.status == "exited"
                if chunk := log.read():
                    yield chunk
                elif ended:
                    return
                else:
                    time.sleep(0.1)

    def exec_run(self, words):
        ended = subprocess.run(self._command(words), env=self._environment, capture_output=True, check=False)
        return SimpleNamespace(exit_code=ended.returncode, output=ended.stdout)

    def stop(self, timeout=10):
        self._process.terminate()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def remove(self, **_):
        if self.status == "running":
            self._process.kill()


class _Translation:
    """Mounted folders and published ports, where there is no container to have them."""

    def __init__(self, options):
        binds = [bind.rsplit(":", 2) for bind in options.get("volumes") or []]
        self._folders = {there: here for here, there, _mode in binds}
        self.ports = {int(port.partition("/")[0]): _free_port() for port in options.get("ports") or {}}

    def value(self, text):
        for there, here in self._folders.items():
            if text == there or text.startswith(f"{there}/"):
                return here + text[len(there) :]
        for port, here in self.ports.items():
            if text == f"0.0.0.0:{port}":
                return f"127.0.0.1:{here}"
        return text


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
