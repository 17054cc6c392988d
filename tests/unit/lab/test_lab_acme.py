"""The lab's ACME server: what it shows of itself, and where it is."""

import ipaddress

from cryptography import x509

from tinykit_ops.lab import acme_certificate
from tinykit_ops.lab.acme import LabAcme


def test_the_directorys_certificate_is_for_its_address_and_signed_by_its_own_authority(tmp_path):
    acme_certificate.write(tmp_path, "10.1.2.1")
    ca, shown = (
        x509.load_pem_x509_certificate((tmp_path / name).read_bytes())
        for name in (acme_certificate.CA, acme_certificate.CERTIFICATE)
    )
    shown.verify_directly_issued_by(ca)
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("10.1.2.1")]
    assert (tmp_path / acme_certificate.KEY).stat().st_mode & 0o777 == 0o600


def test_a_second_start_shows_the_same_certificate(tmp_path):
    acme_certificate.write(tmp_path, "10.1.2.1")
    before = (tmp_path / acme_certificate.CERTIFICATE).read_bytes()
    acme_certificate.write(tmp_path, "10.1.2.1")
    assert (tmp_path / acme_certificate.CERTIFICATE).read_bytes() == before


def test_settings_can_name_its_directory(tmp_path, make_settings):
    acme = LabAcme(tmp_path, "10.1.2.1", life=100)
    tls = {"directory": acme.directory, "directory_ca": str(acme.directory_ca)}
    settings = make_settings(domains=["tk-1.lab.test"], edge={"tls": tls})
    assert settings.edge.tls.directory == "https://10.1.2.1:14000/dir"
