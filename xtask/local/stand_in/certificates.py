"""Certificates.

Restored: a requested certificate is a real one with a key (ministack's holds sixteen placeholder bytes), so
that a listener can speak TLS with it. Nobody has signed it but itself, so a browser warns; it also names this
machine, where the load balancer is found here. It lies in a file that only its owner reads: ministack forgets
keys when it stops, and a browser that was told to trust it should find it again.
"""

import datetime
import ipaddress
import os
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from ministack.services import acm

from stand_in import settings

_LIFE = datetime.timedelta(days=365)


def install():
    acm._get_certificate = _made_first(acm._get_certificate)


def context(arn):
    """The server's side of TLS with a certificate of ACM, as a modern policy of the load balancer has it."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.set_alpn_protocols(["h2", "http/1.1"])
    tls.load_cert_chain(_file(acm._certificates[arn]))
    return tls


def _made_first(get_certificate):
    def get(data):
        record = acm._get_local_certificate(data.get("CertificateArn", ""))
        if record is not None:
            _file(record)
        return get_certificate(data)

    return get


def _file(record):
    """The file with the key and the certificate of a record, made when they are first needed."""
    file = settings.FOLDER / "certificates" / f"{record['CertificateArn'].rpartition('/')[2]}.pem"
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        with open(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as writer:
            writer.write("".join(_make(record["SubjectAlternativeNames"])))
    record["_pem_body"] = "".join(file.read_text().partition("-----BEGIN CERTIFICATE-----")[1:])
    return file


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
    return key.private_bytes(text, *form).decode(), certificate.public_bytes(text).decode()
