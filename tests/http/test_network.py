"""What is wrong with the machine's certificates or proxy is told by the variable that says so, never by a password."""

from __future__ import annotations

import shutil
import ssl
from pathlib import Path

import certifi
import httpx
import pytest

from plexstedi.errors import EnvironmentFault, ExitCode
from plexstedi.http.network import Network, trusted_certificates

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
PLEX = "https://connect.example/x"
PASSWORD = "hunter2"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def fault_of(url: str = PLEX) -> EnvironmentFault:
    network = Network()
    with pytest.raises(EnvironmentFault) as caught:
        network.handle_request(httpx.Request("GET", url))
    network.close()
    assert caught.value.exit_code is ExitCode.CONFIGURATION
    return caught.value


@pytest.mark.parametrize("kind", ["missing", "empty", "no-certificates", "folder"])
def test_a_ca_file_that_cannot_be_used_is_named(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "ca.pem"
    if kind == "folder":
        file.mkdir()
    elif kind != "missing":
        file.write_text("" if kind == "empty" else "-----BEGIN NOTHING-----\n")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    fault = fault_of()
    assert f"SSL_CERT_FILE names {file}" in fault.message
    assert "SSL_CERT_FILE" in fault.fix


@pytest.mark.parametrize("made", [False, True])
def test_a_ca_folder_without_anything_is_named(made: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSL takes it, and every certificate is then wrong."""
    folder = tmp_path / "certs"
    if made:
        folder.mkdir()
    monkeypatch.setenv("SSL_CERT_DIR", str(folder))
    assert f"SSL_CERT_DIR names {folder}" in fault_of().message


def test_a_key_log_that_cannot_be_written_is_not_blamed_on_the_ca_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "gone" / "keys"))
    assert "SSLKEYLOGFILE" in fault_of().message


def test_what_can_be_used_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert trusted_certificates().cert_store_stats()["x509_ca"] > 10
    one = Path(certifi.where()).read_text().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
    (tmp_path / "ca.pem").write_text(one)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    assert trusted_certificates().cert_store_stats()["x509_ca"] == 1
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("SSL_CERT_DIR", f"{tmp_path}/gone:{tmp_path}")
    trusted_certificates()


@pytest.fixture
def own_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that no other test has named."""
    shutil.copy(certifi.where(), tmp_path / "own.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "own.pem"))


@pytest.mark.usefixtures("own_certificates")
def test_both_services_share_one_context_and_none_with_a_host_of_old_tls() -> None:
    """Certificates are read once in a run; what is allowed for an old Plex is not allowed for Stedi."""
    assert trusted_certificates() is trusted_certificates()
    old, strict = trusted_certificates(legacy_tls=True), trusted_certificates()
    assert (bool(old.options & 0x4), bool(strict.options & 0x4)) == (True, False)


@pytest.mark.usefixtures("own_certificates")
@pytest.mark.parametrize("legacy", [False, True])
def test_old_tls_is_accepted_only_where_it_was_allowed_and_certificates_are_verified_all_the_same(
    legacy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[ssl.SSLContext] = []
    create = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda **given: used.append(create(**given)) or used[-1])
    network = Network(legacy_tls=legacy)
    network.new_transport(httpx.URL("https://plex.example"))
    network.close()
    (context,) = used
    assert bool(context.options & 0x4) is legacy
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("HTTPS_PROXY", f"socks5://anna:{PASSWORD}@proxy:1080", "HTTPS_PROXY names a proxy of the scheme socks5"),
        ("https_proxy", "ftp://proxy:21", "https_proxy names a proxy of the scheme ftp"),
        ("ALL_PROXY", "gopher://proxy:70", "ALL_PROXY names a proxy of the scheme gopher"),
        ("HTTPS_PROXY", f"http://anna:{PASSWORD}@proxy:http", "HTTPS_PROXY is not a proxy address"),
        ("HTTPS_PROXY", f"http://anna:{PASSWORD}@proxy:99999", "HTTPS_PROXY is not a proxy address"),
        ("HTTPS_PROXY", f"anna:{PASSWORD}@proxy:80:90", "HTTPS_PROXY is not a proxy address"),
        ("HTTPS_PROXY", "http://", "HTTPS_PROXY is not a proxy address"),
        ("HTTPS_PROXY", "http:/proxy:3128", "HTTPS_PROXY is not a proxy address"),
        ("HTTPS_PROXY", "://proxy", "HTTPS_PROXY is not a proxy address"),
        ("HTTPS_PROXY", f"http://anna:{PASSWORD}@[proxy", "HTTPS_PROXY is not a proxy address"),
        ("HTTPS_PROXY", "http://" + "a" * 64, "HTTPS_PROXY is not a proxy address"),
        ("HTTPS_PROXY", "http://xn--", "HTTPS_PROXY is not a proxy address"),
        ("HTTPS_PROXY", "http://pro\x1bxy:1", "HTTPS_PROXY is not a proxy address"),
        ("HTTPS_PROXY", "{{proxy}}", "HTTPS_PROXY is not a proxy address"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_without_its_password(
    variable: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    fault = fault_of()
    assert says in fault.message
    assert PASSWORD not in f"{fault.message} {fault.fix} {fault.__cause__}"


def test_the_small_letters_win_as_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("https_proxy", "ftp://proxy:21")
    assert fault_of().message.startswith("https_proxy")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_plain_http_on_loopback_needs_no_proxy(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy:1080")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:abc")
    network = Network()
    with pytest.raises(httpx.ConnectError):
        network.handle_request(httpx.Request("GET", f"http://{host}:1/"))
    network.close()


def test_named_certificates_are_looked_at_also_where_nothing_is_encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent/ca.pem")
    with pytest.raises(EnvironmentFault, match="SSL_CERT_FILE names /nonexistent/"):
        Network().handle_request(httpx.Request("GET", "http://127.0.0.1:1/"))


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:1", "127.0.0.1:1", " HTTP://anna:pass@localhost:1/ "])
def test_a_proxy_that_does_not_respond_is_no_fault_of_the_environment(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    network = Network()
    with pytest.raises(httpx.ConnectError):
        network.handle_request(httpx.Request("GET", PLEX))
    network.close()


def test_a_host_of_no_proxy_is_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "ftp://proxy:21")
    monkeypatch.setenv("NO_PROXY", "plex.invalid")
    network = Network()
    with pytest.raises(httpx.ConnectError):
        network.handle_request(httpx.Request("GET", "https://plex.invalid/"))
    network.close()
