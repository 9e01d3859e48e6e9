"""The image registry.

Restored: ECR's own upload calls store what they are given, refuse damaged layers, and PutImage refuses an
image whose layers are missing (ministack keeps only what comes by the registry protocol); an unknown
image is an error of DescribeImages and not an empty answer; nobody reads or writes images without the
token; and images come from `<account>.dkr.ecr.<region>.amazonaws.com`, which here is the gateway's port.
"""

import base64
import io
import json
import re
import tarfile

from ministack.core.responses import error_response_json, get_account_id, json_response, new_uuid
from ministack.services import ecr, ecs

from stand_in import settings

_USER, _PASSWORD = "AWS", "stand-in"
_TOKEN = base64.b64encode(f"{_USER}:{_PASSWORD}".encode()).decode()
_HOST = re.compile(r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/")


def install():
    ecr._initiate_layer_upload = _initiate_upload
    ecr._upload_layer_part = _upload_part
    ecr._complete_layer_upload = _complete_upload
    ecr._batch_check_layer_availability = _check_layers
    ecr._put_image = _checking_layers(ecr._put_image)
    ecr._describe_images = _naming_missing_images(ecr._describe_images)
    ecr._get_authorization_token = _giving_our_token(ecr._get_authorization_token)
    ecr.handle_registry_request = _asking_for_the_token(ecr.handle_registry_request)
    ecs._resolve_repository_credentials = _with_the_token(ecs._resolve_repository_credentials)
    ecs._run_docker_container = _from_here(ecs._run_docker_container)


def _unknown_repository(name):
    message = f"The repository with name '{name}' does not exist in the registry with id '{get_account_id()}'"
    return error_response_json("RepositoryNotFoundException", message, 400)


def _initiate_upload(data):
    name = data["repositoryName"]
    if name not in ecr._repositories:
        return _unknown_repository(name)
    upload = new_uuid()
    ecr._uploads.setdefault(name, {})[upload] = bytearray()
    return json_response({"uploadId": upload, "partSize": 10 * 1024 * 1024})


def _upload_part(data):
    content = ecr._uploads.get(data["repositoryName"], {}).get(data["uploadId"])
    if content is None:
        return error_response_json("UploadNotFoundException", "The upload could not be found", 400)
    if data["partFirstByte"] != len(content):
        return error_response_json("InvalidLayerPartException", "The layer part is not the next one", 400)
    content.extend(base64.b64decode(data["layerPartBlob"]))
    return json_response({"uploadId": data["uploadId"], "lastByteReceived": len(content) - 1})


def _complete_upload(data):
    name, layers = data["repositoryName"], ecr._layer_blobs.setdefault(data["repositoryName"], {})
    content = ecr._uploads.get(name, {}).pop(data["uploadId"], None)
    if content is None:
        return error_response_json("UploadNotFoundException", "The upload could not be found", 400)
    digest = ecr._content_digest(bytes(content))
    if digest not in data["layerDigests"]:
        return error_response_json("InvalidLayerException", f"The layer's digest is {digest}", 400)
    if digest in layers:
        return error_response_json("LayerAlreadyExistsException", f"Layer with digest '{digest}' already exists", 400)
    layers[digest] = bytes(content)
    return json_response({"uploadId": data["uploadId"], "layerDigest": digest})


def _check_layers(data):
    name = data["repositoryName"]
    if name not in ecr._repositories:
        return _unknown_repository(name)
    layers = ecr._layer_blobs.get(name, {})
    found = [
        {"layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": len(layers[digest])}
        for digest in data["layerDigests"]
        if digest in layers
    ]
    failures = [
        {"layerDigest": digest, "failureCode": "MissingLayerDigest", "failureReason": "The layer does not exist"}
        for digest in data["layerDigests"]
        if digest not in layers
    ]
    return json_response({"layers": found, "failures": failures})


def _checking_layers(put_image):
    def put(data):
        name, manifest = data["repositoryName"], data["imageManifest"].encode()
        if name not in ecr._repositories:
            return _unknown_repository(name)
        parts = json.loads(manifest)
        digests = [part["digest"] for part in [parts["config"], *parts["layers"]]]
        missing = [digest for digest in digests if digest not in ecr._layer_blobs.get(name, {})]
        if missing:
            message = f"Layers with digests '{missing}' required for pushing image do not exist"
            return error_response_json("LayersNotFoundException", message, 400)
        digest = ecr._content_digest(manifest)
        same = [image for image in ecr._images.get(name, []) if image["imageDigest"] == digest]
        if same and data.get("imageTag", "") in ["", *same[0]["imageTags"]]:
            message = f"Image with digest '{digest}' and tag '{data.get('imageTag')}' already exists"
            return error_response_json("ImageAlreadyExistsException", message, 400)
        ecr._manifest_blobs.setdefault(name, {})[digest] = manifest
        return put_image(data)

    return put


def _naming_missing_images(describe_images):
    def describe(data):
        name = data["repositoryName"]
        for image in data.get("imageIds") or [] if name in ecr._repositories else []:
            if ecr._find_image(name, image) is None:
                message = f"The image with imageId {image} does not exist within the repository with name '{name}'"
                return error_response_json("ImageNotFoundException", message, 400)
        return describe_images(data)

    return describe


def _giving_our_token(get_authorization_token):
    def get(data):
        status, headers, body = get_authorization_token(data)
        answer = json.loads(body)
        answer["authorizationData"][0]["authorizationToken"] = _TOKEN
        return json_response(answer, status)

    return get


def _asking_for_the_token(handle_registry_request):
    async def handle(method, path, headers, body, query):
        if headers.get("authorization") == f"Basic {_TOKEN}":
            return await handle_registry_request(method, path, headers, body, query)
        status, answer, body = ecr._registry_error(401, "UNAUTHORIZED", "Not Authorized")
        return status, answer | {"WWW-Authenticate": 'Basic realm="the stand-in for ECR"'}, body

    return handle


def _with_the_token(resolve):
    def credentials(container):
        if _HOST.match(container["image"]):
            return {"username": _USER, "password": _PASSWORD}
        return resolve(container)

    return credentials


def _from_here(run_docker_container):
    def run(client, container, *args, **kwargs):
        container = container | {"image": _HOST.sub(f"127.0.0.1:{settings.GATEWAY}/", container["image"])}
        return run_docker_container(client, container, *args, **kwargs)

    return run


class Image:
    """An image as the registry holds it, with every part checked against its digest."""

    def __init__(self, reference):
        path, _, self.digest = reference.partition("@")
        self._repository = path.split("/", 1)[1]
        manifest = json.loads(self._checked(ecr._manifest_blobs, self.digest))
        self.config = json.loads(self._checked(ecr._layer_blobs, manifest["config"]["digest"]))
        self._layers = [layer["digest"] for layer in manifest["layers"]]

    def _checked(self, blobs, digest):
        blob = blobs.get(self._repository, {}).get(digest)
        if blob is None:
            raise LookupError(f"{self._repository}@{digest}: not found")
        if ecr._content_digest(blob) != digest:
            raise ValueError(f"{self._repository}@{digest}: damaged")
        return blob

    def layers(self):
        """The archives, the lowest first."""
        for digest in self._layers:
            yield tarfile.open(fileobj=io.BytesIO(self._checked(ecr._layer_blobs, digest)), mode="r:*")

    def mode(self, path):
        """The permissions that the image gives to a folder, if it has that folder."""
        mode = None
        for layer in self.layers():
            mode = next((entry.mode for entry in layer if entry.name.strip("/") == path.strip("/")), mode)
        return mode
