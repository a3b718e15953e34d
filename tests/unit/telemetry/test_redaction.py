"""What is masked wherever it stands, and what must stay readable."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpp.redaction import NAME_HINTS, PAYLOAD_HINTS, SHORT_SECRET_NAMES
from mcpp.telemetry.logs.redaction import (
    SECRET_NAMES,
    bounded,
    is_secret,
    redact,
    redact_payload,
    redact_text,
    shown,
)

SECRET = "geheim-1"
UNREADABLE = {"value": SECRET, "mutability": "WriteOnly"}
MASKED = UNREADABLE | {"value": "***"}
LINK_TOKEN = "Ab-_" * 8


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "AuthorizationKey",
        "authorization_key",
        "password",
        "BasicAuthPassword",
        "api-token",
        "MCPP_API_TOKEN",
        "clientSecret",
        "x-api-key",
        "tls_private_key",
        "Set-Cookie",
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret(name)
    assert redact({name: SECRET, "other": 1}) == {name: "***", "other": 1}


@pytest.mark.parametrize("name", ["idToken", "id_token", "idTag", "key", "AuthorizationCacheEnabled", "transactionId"])
def test_names_that_are_none(name: str) -> None:
    assert not is_secret(name)
    assert redact({name: "open"}) == {name: "open"}


KEYS = [
    *("AuthorizationKey", "authorizationkey", "Authorization_Key", "AUTHORIZATION-KEY", "AuthorizationKey2"),
    *("Password", "Password2", "password_2", "WifiPassword", "wifipassword", "WIFI_PASSWORD", "BasicAuthPassword1"),
    *("WifiPwd1", "wifi_pwd", "Pwd", "APN.Passwd", "apnPasswd3", "Passphrase", "WifiPassPhrase", "WpaPskPassphrase"),
    *("WifiPSK", "psk", "WPA_PSK_2", "ClientSecret", "client_secret_1", "SharedSecret", "AccessToken", "API_TOKEN"),
    *("ApiKey", "api_key", "x-api-key", "APIKey1", "Credential", "MqttCredentials", "credentials2", "PrivateKey"),
    *("tls_private_key", "WpaKey", "WEPKey1", "wifiKey", "WiFi-Key", "NetworkKey", "EncryptionKey", "MasterSecret"),
    *("PIN", "pin", "Pin1", "SimPin", "SIMPin", "SIM_PIN", "simpin", "SIMPIN", "SimPIN2", "sim-pin-1", "SimPinCode"),
    *("AdminPin", "adminPIN", "ADMIN_PIN", "adminpin", "UserPin", "user.pin", "GsmPin", "ModemPINCode", "PinCode"),
    *("PUK", "puk", "SimPuk", "SIM_PUK", "simPUK1", "SIMPUK", "PUKCode", "Puk2", "PasswordHash", "NewPassword_1"),
    *("FtpUserPass", "ftp_pass", "Acme.Modem.SIM.PIN", "vendor/wifi/password", "SecretValue"),
]
"""Configuration keys whose values are secret."""

INNOCENT_KEYS = [
    *("AuthorizationCacheEnabled", "AuthorizationKeyLength", "AuthorizeRemoteTxRequests", "LocalAuthorizeOffline"),
    *("ConnectorPhaseRotation", "HeartbeatInterval", "MeterValuesSampledData", "StopTransactionOnInvalidId"),
    *(
        "WebSocketPingInterval",
        "SupportedFeatureProfiles",
        "SecurityProfile",
        "NumberOfConnectors",
        "GetConfigurationMaxKeys",
    ),
    *("TokenLength", "PasswordLength", "PasswordRetries", "SecretsEnabled", "CredentialsRequired", "PinLength"),
    *(
        "Pinning",
        "CertificatePinning",
        "SpinTime",
        "Spin",
        "SPIN",
        "FanSpin2",
        "Mapping",
        "PhaseMapping",
        "PinpadEnabled",
    ),
    *("Bypass", "GroundFaultBypass", "Compass", "IdToken", "idToken1", "id_token", "PublicKey", "KeyPad", "Key"),
    *("CableLock", "Opinion", "Shipping", "Alpine", "Passive", "PassThrough", "Pukka", "Apn", "SimIccid", "WifiSsid1"),
]
"""Configuration keys whose values a person needs to see."""


@pytest.mark.parametrize(("key", "secret"), [*((key, True) for key in KEYS), *((key, False) for key in INNOCENT_KEYS)])
def test_configuration_keys(key: str, secret: bool) -> None:
    """One rule, wherever the key stands: beside its value, as a name, in a text, in JSON in a text."""
    shown = "***" if secret else SECRET
    pair = {"key": key, "readonly": False, "value": SECRET}

    assert is_secret(key) is secret
    assert redact_payload(json.dumps({"configurationKey": [pair]}).encode()) == {
        "configurationKey": [{**pair, "value": shown}]
    }
    assert redact({key: SECRET}) == {key: shown}
    for text in (
        f"{key}={SECRET};",
        f"{key}: {SECRET} and more",
        json.dumps({key: SECRET}),
        json.dumps({"data": json.dumps({key: SECRET})}),
        json.dumps(pair),
        json.dumps({"data": json.dumps({"value": SECRET, "key": key})}),
        f"ChangeConfiguration(key='{key}', value='{SECRET}')",
    ):
        assert (SECRET not in redact_text(text)) is secret, redact_text(text)


def test_a_long_name_is_judged_by_its_end() -> None:
    assert is_secret("a" * 1_000 + "Password")
    assert not is_secret("Password" + "a" * 1_000)


@pytest.mark.parametrize(
    "junk", ["pin", "SimPin", "pass_", "key ", 'key:"', "password" * 2, "A", "pin1", "token-value "]
)
def test_a_long_text_is_searched_once(junk: str) -> None:
    """Linear: each name's search looks at a bounded length."""
    text = junk * (100_000 // len(junk)) + f" SimPin={SECRET}"

    assert SECRET not in redact_text(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ftp://user:geheim@host/path", "ftp://***@host/path"),
        ("http://user:ge@he/im@host:80/path", "http://***@host:80/path"),
        ("see sftp://geheim@host, please", "see sftp://***@host, please"),
        ("http://host:8080/people/a@b", "http://host:8080/people/a@b"),
        ("wss://host/ocpp?token=geheim&x=1", "wss://host/ocpp?token=***&x=1"),
        ("Authorization: Basic Z2VoZWlt", "Authorization: ***"),
        ("('Authorization', 'Basic Z2VoZWlt')", "('Authorization', ***)"),
        ("curl -H 'Bearer Z2VoZWlt'", "curl -H 'Bearer ***'"),
        ('{"password":"ge hei\\"m","user":"u"}', '{"password":***,"user":"u"}'),
        (r'{"data":"{\"token\":\"geheim\"}"}', r'{"data":"{\"token\":***}"}'),
        ("api_key=geheim;next=1", "api_key=***;next=1"),
        ("password geheim is not marked as one", "password geheim is not marked as one"),
        ("idToken: 04A1B2", "idToken: 04A1B2"),
        (r'"http:\/\/user:geheim@host\/x"', r'"http:\/\/***@host\/x"'),
        ("GET https://bucket/f.bin?X-Amz-Signature=geheim&x=1", "GET https://bucket/f.bin?X-Amz-Signature=***&x=1"),
        ("https://store/f.bin?se=2030&sig=geheim", "https://store/f.bin?se=2030&sig=***"),
        (f"http://host:9001/uploads/{LINK_TOKEN}/", "http://host:9001/uploads/***/"),
        (rf"http:\/\/host\/firmware\/{LINK_TOKEN}\/f.bin", r"http:\/\/host\/firmware\/***\/f.bin"),
        ("http://host/firmware/v1.2.3/a-file-with-a-name-as-long-as-that.bin",) * 2,
        ('"key":"AuthorizationKey","value":"geheim"}', '"key":"AuthorizationKey","value":***}'),
        (
            '[{"key":"AuthorizationKey","readonly":false,"value":"geheim"},{"key":"A","value":"b"}]',
            '[{"key":"AuthorizationKey","readonly":false,"value":***},{"key":"A","value":"b"}]',
        ),
        (r"{\"value\": \"geheim\", \"key\": \"AuthorizationKey\"}", r"{\"value\": ***, \"key\": \"AuthorizationKey\"}"),
        ("Request(key='AuthorizationKey', value='gehe im')", "Request(key='AuthorizationKey', value=***)"),
        ("key='Wifi-Password' value=geheim", "key='Wifi-Password' value=***"),
        ('{"key":"HeartbeatInterval","value":"300"}', '{"key":"HeartbeatInterval","value":"300"}'),
        ("pass=geheim", "pass=***"),
        (
            "-----BEGIN EC PRIVATE KEY-----\ngeheim\n-----END EC PRIVATE KEY-----",
            "-----BEGIN EC PRIVATE KEY-----***-----END EC PRIVATE KEY-----",
        ),
        ("authorization is open", "authorization is open"),
        (
            '{"attributeValue":"geheim","component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}',
            '{"attributeValue":***,"component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}',
        ),
        (
            '"variable": {"name": "VpnKey"}, "variableAttribute": [{"type": "Actual", "value": "geheim"}]',
            '"variable": {"name": "VpnKey"}, "variableAttribute": [{"type": "Actual", "value": ***}]',
        ),
        (
            r"{\"variable\":{\"name\":\"SimPin\"},\"actualValue\":\"geheim\"}",
            r"{\"variable\":{\"name\":\"SimPin\"},\"actualValue\":***}",
        ),
        ('{"value":"geheim","mutability":"WriteOnly"}', '{"value":***,"mutability":"WriteOnly"}'),
        ('{"mutability":"WriteOnly","value":"geheim"}', '{"mutability":"WriteOnly","value":***}'),
        ('"vpn":{"server":"s","key":"geheim"}', '"vpn":{"server":"s","key":***}'),
        ('"variable":{"name":"Power"},"actualValue":"11","key":"a"',) * 2,
    ],
)
def test_secrets_in_text(text: str, expected: str) -> None:
    assert expected == redact_text(text)


def _set(component: str, variable: str, value: str) -> dict[str, Any]:
    return {"attributeValue": value, "component": {"name": component}, "variable": {"name": variable}}


def _reported(variable: str, *attributes: Mapping[str, str]) -> dict[str, Any]:
    return {"component": {"name": "C"}, "variable": {"name": variable}, "variableAttribute": list(attributes)}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            {"key": "AuthorizationKey", "value": SECRET},
            {"key": "AuthorizationKey", "value": "***"},
        ),
        (
            {"value": SECRET, "key": "authorizationkey"},
            {"value": "***", "key": "authorizationkey"},
        ),
        (
            {
                "configurationKey": [
                    {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
                    {"key": "AuthorizationKey", "readonly": False, "value": SECRET},
                    {"key": "AuthorizationKey", "readonly": True},
                ]
            },
            {
                "configurationKey": [
                    {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
                    {"key": "AuthorizationKey", "readonly": False, "value": "***"},
                    {"key": "AuthorizationKey", "readonly": True},
                ]
            },
        ),
        (
            {"location": f"ftp://mcpp:{SECRET}@host/diagnostics", "retries": 3},
            {"location": "ftp://***@host/diagnostics", "retries": 3},
        ),
        (
            {"vendorId": "v", "data": json.dumps({"wifiPassword": SECRET})},
            {"vendorId": "v", "data": '{"wifiPassword": ***}'},
        ),
        (
            {"setVariableData": [_set("SecurityCtrlr", "BasicAuthPassword", SECRET), _set("Vpn", "Key", SECRET)]},
            {"setVariableData": [_set("SecurityCtrlr", "BasicAuthPassword", "***"), _set("Vpn", "Key", "***")]},
        ),
        (
            {"setVariableData": [_set("OCPPCommCtrlr", "MessageTimeout", "30")], "key": "k"},
            {"setVariableData": [_set("OCPPCommCtrlr", "MessageTimeout", "30")], "key": "k"},
        ),
        (
            {"eventData": [{"actualValue": SECRET, "component": {"name": "A"}, "variable": {"name": "SimPin"}}]},
            {"eventData": [{"actualValue": "***", "component": {"name": "A"}, "variable": {"name": "SimPin"}}]},
        ),
        (
            {"reportData": [_reported("ApnPassword", {"value": SECRET}), _reported("A", UNREADABLE, {"value": "1"})]},
            {"reportData": [_reported("ApnPassword", {"value": "***"}), _reported("A", MASKED, {"value": "1"})]},
        ),
        (
            {"connectionData": {"vpn": {"key": SECRET, "user": "u"}, "apn": {"apnPassword": SECRET}}},
            {"connectionData": {"vpn": {"key": "***", "user": "u"}, "apn": {"apnPassword": "***"}}},
        ),
        (
            {"connectorId": 1, "meterValue": [{"sampledValue": [{"value": "230.10"}]}]},
            {"connectorId": 1, "meterValue": [{"sampledValue": [{"value": "230.10"}]}]},
        ),
    ],
)
def test_secrets_in_payloads(payload: dict[str, Any], expected: dict[str, Any]) -> None:
    assert expected == redact_payload(json.dumps(payload, indent=1).encode())


def test_json_in_json_in_json_hides_nothing() -> None:
    text = json.dumps({"key": "AuthorizationKey", "value": SECRET, "password": SECRET})
    for _ in range(3):
        text = json.dumps({"data": text})

    assert SECRET not in redact_text(text)
    assert SECRET not in json.dumps(redact_payload(text.encode()))


def test_a_name_may_hold_a_secret_too() -> None:
    assert redact({f"ftp://u:{SECRET}@host": "unreachable"}) == {"ftp://***@host": "unreachable"}


def test_an_escaped_name_hides_nothing() -> None:
    payload = rb'{"pass\u0077ord":"geheim"}'

    assert redact_payload(payload) == {"password": "***"}


def test_a_payload_that_is_no_json_stays_text() -> None:
    assert redact_payload(b'{"password":"geheim",\xff') == r'{"password":***,\xff'


def test_every_secret_is_hinted_at() -> None:
    assert all(any(hint in name for hint in NAME_HINTS) for name in (*SECRET_NAMES, *SHORT_SECRET_NAMES))
    assert {hint.encode() for hint in NAME_HINTS} < set(PAYLOAD_HINTS)


def test_depth_has_an_end() -> None:
    value = redact_payload(b'{"a":' * 500 + b"1" + b"}" * 500)

    assert "***" in json.dumps(value)


@given(st.text())
def test_any_text_can_be_searched(text: str) -> None:
    assert isinstance(redact_text(text), str)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text("abcdef "),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdef", max_size=5), inner, max_size=4),
    )
)
def test_what_holds_no_secret_stays_as_it_is(value: object) -> None:
    assert value == redact(value)


def test_a_field_is_cut_at_its_bound_and_secrets_before_it_stay_masked() -> None:
    text = f"password={SECRET} " + "x" * 5_000
    fields = bounded({"error": text, "stack": "s" * 50_000, "many": {f"n{i}": text for i in range(500)}, "number": 7})

    assert fields["error"] == "password=*** " + "x" * (1024 - 3 - len("password=*** ")) + "…"
    assert fields["stack"] == "s" * (16 * 1024 - 3) + "…"
    assert fields["number"] == 7
    assert len(json.dumps(fields["many"], ensure_ascii=False).encode()) < 20_000
    assert SECRET not in json.dumps(fields)


def test_a_secret_whose_name_follows_beyond_the_bound_is_masked() -> None:
    text = "x" * 1_000 + f' {{"value": "{SECRET}", "readonly": false, "key": "AuthorizationKey"}}'

    assert SECRET not in shown(text)


@pytest.mark.parametrize(
    ("payload", "is_whole"),
    [
        (b'{"a":"%b"}' % (b"x" * 60_000), True),
        (b'{"a":"%b"}' % (b"x" * 70_000), False),
        (b'{"key":"%b"}' % (b"x" * 10_000), True),
        (b'{"key":"%b"}' % (b"x" * 20_000), False),
    ],
)
def test_of_a_large_payload_a_line_shows_how_large_it_is_and_how_it_begins(payload: bytes, is_whole: bool) -> None:
    value = redact_payload(payload)

    if is_whole:
        assert value == json.loads(payload)
    else:
        begins = payload[:1021].decode() + "…"
        assert value == {"bytes": len(payload), "begins": begins}
