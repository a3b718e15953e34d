"""Mistakes in the settings of TLS, each told in a line that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from mcpp.errors import StartError
from mcpp.settings import Settings
from tests.authority import Authority, Pair, new_key, pem, rsa_key


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def pair(ca: Authority) -> Pair:
    return ca.server()


def mistakes(**flags: object) -> list[str]:
    with pytest.raises(StartError) as refused:
        Settings.load({name: str(value) for name, value in flags.items()})
    return list(refused.value.lines)


def mistake(**flags: object) -> str:
    (line,) = mistakes(**flags)
    return line


@pytest.mark.parametrize("prefix", ["tls", "http_tls"])
def test_certificate_and_key_go_together(prefix: str, pair: Pair) -> None:
    flag = prefix.replace("_", "-")
    assert mistake(**{f"{prefix}_cert": pair.certificate}).startswith(
        f"{flag}-key: is needed where {flag}-cert is given ("
    )
    assert mistake(**{f"{prefix}_key": pair.key}).startswith(f"{flag}-key: is given without {flag}-cert,")


def test_files_that_are_something_else(ca: Authority, pair: Pair, tmp_path: Path) -> None:
    other = ca.server()
    text = tmp_path / "text"
    text.write_text("nothing")

    assert "can't be read (No such file or directory)" in mistakes(tls_cert=tmp_path / "none", tls_key=pair.key)[0]
    assert f"{text} holds no certificate in PEM form" in mistake(tls_cert=text, tls_key=pair.key)
    assert f"{pair.key} holds no certificate in PEM form" in mistake(tls_cert=pair.key, tls_key=pair.certificate)
    assert f"{text} holds no private key in PEM form" in mistake(tls_cert=pair.certificate, tls_key=text)
    assert f"the key in {other.key} isn't that of the first certificate in {pair.certificate}" in mistake(
        tls_cert=pair.certificate, tls_key=other.key
    )
    assert f"{text} holds no certificate in PEM form" in mistake(
        tls_cert=pair.certificate, tls_key=pair.key, tls_client_ca=text
    )


def test_a_key_with_a_pass_phrase_is_refused_with_the_way_out(pair: Pair) -> None:
    pair.key.write_bytes(pem(new_key(), b"secret"))
    line = mistake(tls_cert=pair.certificate, tls_key=pair.key)

    assert "has a pass phrase" in line
    assert f"openssl pkey -in {pair.key} -out NEW_FILE" in line


def test_short_keys_are_refused(ca: Authority) -> None:
    for key in (rsa_key(1024), ec.generate_private_key(ec.SECP192R1())):
        short = ca.server(key=key)
        assert "is too short: RSA takes 2048 bits, elliptic curves 224" in mistake(
            tls_cert=short.certificate, tls_key=short.key
        )


def test_a_certificate_that_has_expired_is_no_reason_not_to_start(ca: Authority) -> None:
    expired = ca.server(days=-1)
    assert Settings.load({"tls_cert": str(expired.certificate), "tls_key": str(expired.key)}).tls_cert is not None


@pytest.mark.parametrize("profile", [2, 3])
def test_profiles_that_nobody_could_reach(profile: int) -> None:
    assert mistake(security_profile=profile).startswith(f"security-profile: {profile} needs tls-cert and tls-key")


def test_profile_2_is_reached_by_a_proxy_too(pair: Pair) -> None:
    assert Settings.load({"security_profile": "2", "trusted_proxies": "10.0.0.1"}).security_profile == 2
    assert "3 needs tls-cert" in mistake(security_profile=3, trusted_proxies="10.0.0.1")
    flags = {"security_profile": "2", "tls_cert": str(pair.certificate), "tls_key": str(pair.key)}
    assert Settings.load(flags).security_profile == 2


def test_profile_3_needs_somebody_to_trust(ca: Authority, pair: Pair, tmp_path: Path) -> None:
    flags: dict[str, object] = {"security_profile": 3, "tls_cert": pair.certificate, "tls_key": pair.key}
    assert "3 needs tls-client-ca, or a ca-directory with an authority (mcpp ca init)" in mistake(**flags)
    by_file = flags | {"tls_client_ca": ca.file}
    assert Settings.load({name: str(value) for name, value in by_file.items()}).security_profile == 3
    (tmp_path / "mcpp-ca").mkdir()
    (tmp_path / "mcpp-ca" / "ca.pem").write_bytes(ca.file.read_bytes())
    assert Settings.load({name: str(value) for name, value in flags.items()}).security_profile == 3


def test_an_authority_for_chargers_needs_tls(ca: Authority) -> None:
    assert mistake(tls_client_ca=ca.file).startswith("tls-client-ca: needs tls-cert")
