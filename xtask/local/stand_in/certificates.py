"""Certificates.

Restored: a requested certificate is a real one with a key (ministack's holds sixteen placeholder bytes), so
that a listener can speak TLS with it. Nobody has signed it but itself, so a browser warns; it also names this
machine, where the load balancer is found here.
"""

import datetime
import ipaddress
import os
import ssl
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from ministack.services import acm

_LIFE = datetime.timedelta(days=365)


def install():
    acm._synthetic_pem = lambda _domain: ""
    acm._get_certificate = _made_first(acm._get_certificate)


def context(arn):
    """The server's side of TLS with a certificate of ACM, as a modern policy of the load balancer has it."""
    certificate, key = _pair(acm._certificates[arn])
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.set_alpn_protocols(["h2", "http/1.1"])
    # Only files can be loaded; this one is closed to others, and gone at once.
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write((key + certificate).encode())
        file.flush()
        os.chmod(file.name, 0o600)
        tls.load_cert_chain(file.name)
    return tls


def _made_first(get_certificate):
    def get(data):
        record = acm._get_local_certificate(data.get("CertificateArn", ""))
        if record is not None:
            _pair(record)
        return get_certificate(data)

    return get


def _pair(record):
    """Certificate and key of a record, made when they are first needed and kept with it."""
    if not record["_private_key"]:
        record["_pem_body"], record["_private_key"] = _make(record["SubjectAlternativeNames"])
    return record["_pem_body"] + record["_pem_chain"], record["_private_key"]


def _make(names):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    here = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names] + here), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    text = serialization.Encoding.PEM
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return certificate.public_bytes(text).decode(), key.private_bytes(text, *form).decode()
