"""Signatures equal the published ones, and a key shows itself nowhere."""

from __future__ import annotations

import json
import stat
import traceback
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_keys.backends import NativeECCBackend
from hyperliquid.utils.signing import sign_l1_action
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import executor.venue
from common.errors import ConfigError, OurFault
from executor.venue import Signer, assert_fast_curve, read_key
from tests.support.shared import shared

KEY = "0123456789" * 6 + "0123"
ADDRESS = "0x14791697260e4c9a71f18484c9f997b308e59325"
WALLET = "0x" + "ab" * 20


def key_file(folder: Path, text: str = KEY, mode: int = 0o400) -> Path:
    path = folder / "agent_key"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_all_published_signatures_are_reproduced(tmp_path: Path) -> None:
    vectors = json.loads((shared("fixtures/hyperliquid") / "signature_vectors.json").read_text())["vectors"]
    checked = 0
    for number, vector in enumerate(vectors):
        if vector["scheme"] != "l1" or vector["vaultAddress"] is not None:
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        path = key_file(folder, vector["private_key"])
        for network, mainnet in (("mainnet", True), ("testnet", False)):
            if vector.get(network) is None:
                continue
            signer = Signer(path, WALLET, is_mainnet=mainnet)
            assert signer.address == vector["address"].lower()
            found = signer.sign(vector["action"], vector["nonce"], vector["expiresAfter"] or 0)
            assert found == vector[network]
            checked += 1
    assert checked >= 10


LINES = st.fixed_dictionaries(
    {
        "a": st.integers(0, 10**8), "b": st.booleans(), "p": st.decimals(1, 10**6, places=2).map(str),
        "s": st.decimals(1, 10**6, places=3).map(str), "r": st.booleans(), "t": st.just({"limit": {"tif": "Alo"}}),
    }
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, max_size=5), st.integers(0, 2**53), st.none() | st.integers(1, 2**53), st.booleans())
def test_our_signatures_are_the_sdks(
    tmp_path: Path, orders: list[dict[str, Any]], nonce: int, expires_ms: int | None, mainnet: bool
) -> None:
    path = tmp_path / "agent_key"
    if not path.exists():
        key_file(tmp_path)
    action = {"type": "order", "orders": orders, "grouping": "na"}
    found = Signer(path, WALLET, is_mainnet=mainnet).sign(action, nonce, expires_ms or 0)
    theirs = sign_l1_action(Account.from_key(KEY), action, None, nonce, expires_ms, mainnet)
    assert (int(found["r"], 16), int(found["s"], 16), found["v"]) == (
        int(theirs["r"], 16), int(theirs["s"], 16), theirs["v"],
    )  # fmt: skip


def test_a_signature_that_differs_from_the_sdks_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor.venue, "_DOMAIN", bytes(32))
    with pytest.raises(OurFault, match="differs"):
        Signer(key_file(tmp_path), WALLET, is_mainnet=False)


def test_signature_scalars_keep_their_leading_zeros(tmp_path: Path) -> None:
    signer = Signer(key_file(tmp_path), WALLET, is_mainnet=False)
    found = [signer.sign({"type": "noop"}, nonce, 0) for nonce in range(300)]
    assert all(len(f["r"]) == len(f["s"]) == 66 for f in found)
    assert any(f["r"].startswith("0x00") or f["s"].startswith("0x00") for f in found)


@pytest.mark.parametrize("text", [KEY, KEY + "\n", "0x" + KEY, KEY.upper(), KEY + "\r\n"])
def test_key_may_have_a_prefix_and_one_newline(tmp_path: Path, text: str) -> None:
    assert Signer(key_file(tmp_path, text), WALLET, is_mainnet=False).address == ADDRESS


@pytest.mark.parametrize(
    "text",
    [
        "",
        KEY[:-2],
        KEY + "00",
        f'"{KEY}"',
        " " + KEY,
        KEY + "\n\n",
        "zz" * 32,
        "0" * 64,
        "f" * 64,
        "\uff11" * 64,
        KEY * 40,
    ],
)  # fmt: skip
def test_a_bad_key_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Signer(key_file(tmp_path, text), WALLET, is_mainnet=False)
    shown = "".join(traceback.format_exception(caught.value))
    assert KEY not in shown
    assert not text.strip() or text.strip()[:16] not in shown


@pytest.mark.parametrize("mode", [0o404, 0o440, 0o644, 0o600 | stat.S_IROTH])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigError, match="chmod 0400"):
        read_key(key_file(tmp_path, mode=mode))


def test_a_missing_key_is_refused_with_the_command_that_writes_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="install -m 0400"):
        read_key(tmp_path / "agent_key")


def test_the_wallets_own_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="key of the wallet itself"):
        Signer(key_file(tmp_path), ADDRESS, is_mainnet=False)


def test_the_key_is_in_no_representation(tmp_path: Path) -> None:
    signer = Signer(key_file(tmp_path), WALLET, is_mainnet=False)
    shown = repr(signer) + str(signer) + repr([getattr(signer, name) for name in signer.__slots__])
    assert not hasattr(signer, "__dict__")
    for form in (KEY, str(int(KEY, 16)), repr(bytes.fromhex(KEY))):
        assert form not in shown


def test_a_slow_curve_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    assert_fast_curve()
    monkeypatch.setattr(executor.venue, "get_backend", NativeECCBackend)
    with pytest.raises(OurFault, match="coincurve"):
        assert_fast_curve()


def test_an_error_inside_signing_does_not_show_the_key(tmp_path: Path) -> None:
    signer = Signer(key_file(tmp_path), WALLET, is_mainnet=False)
    bad: Any = {"type": object()}
    with pytest.raises(TypeError) as caught:
        signer.sign(bad, 1, 0)
    assert KEY not in "".join(traceback.format_exception(caught.value))
