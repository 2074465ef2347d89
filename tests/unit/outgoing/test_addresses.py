"""Every form of a forbidden address is one, and no setting opens the clouds' own."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest

from impl.outgoing.addresses import AddressPolicy
from impl.settings import OutgoingSettings

PRIVATE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254",
    "169.254.1.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1",
    "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16",
    "100.100.100.200", "192.0.0.192",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.32.0.1", "192.0.1.1"]


def forms(text: str) -> dict[str, IPv6Address]:
    """An IPv4 address in everything that carries one."""
    bits = int(IPv4Address(text))

    def made(prefix: str, low: int) -> IPv6Address:
        return IPv6Address(int(IPv6Address(prefix)) | low)

    high, rest = bits >> 16, bits & 0xFFFF
    return {
        "mapped": made("::ffff:0:0", bits),
        "compatible": made("::", bits),
        "translated": made("::ffff:0:0:0", bits),
        "NAT64": made("64:ff9b::", bits),
        "NAT64 of one's own, at the end": made("64:ff9b:1::", bits),
        "NAT64 of one's own, of 48 bits": made("64:ff9b:1::", high << 64 | rest << 40),
        "NAT64 of one's own, of 64 bits": made("64:ff9b:1:1::", bits << 24),
        "6to4": made("2002::", bits << 80),
        "Teredo server": made("2001::", bits << 64 | (~0x08080808 & 0xFFFFFFFF)),
        "Teredo client": made("2001:0:808:808::", ~bits & 0xFFFFFFFF),
        "ISATAP": made("2a00:1450::5efe:0:0", bits),
        "ISATAP, global": made("2a00:1450::200:5efe:0:0", bits),
    }


@pytest.mark.parametrize("text", PRIVATE)
def test_a_private_address_is_refused_in_every_form(text: str) -> None:
    policy = AddressPolicy()
    assert not policy.permits(ip_address(text))
    assert [name for name, form in forms(text).items() if policy.permits(form)] == []


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_is_taken_where_its_form_is_one_in_use(text: str) -> None:
    policy = AddressPolicy()
    assert policy.permits(ip_address(text))
    taken = {name for name, form in forms(text).items() if policy.permits(form)}
    assert taken == {"mapped", "NAT64", "6to4", "ISATAP", "ISATAP, global"}


@pytest.mark.parametrize(
    "text",
    ["::", "::1", "::2", "100::1", "fc00::1", "fd00::1", "fe80::1", "fec0::1", "ff02::1",
     "2001:db8::1", "2001:2::1", "2001:10::1", "3fff::1", "4000::1", "5f00::1", "fd00:ec2::254"],
)  # fmt: skip
def test_an_ipv6_address_that_is_not_public_is_refused(text: str) -> None:
    assert not AddressPolicy().permits(ip_address(text))


def test_ordinary_ipv6_is_taken() -> None:
    assert AddressPolicy().permits(ip_address("2606:4700:4700::1111"))


def test_development_opens_loopback_and_nothing_else() -> None:
    policy = AddressPolicy(development=True)
    for text in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"):
        assert policy.permits(ip_address(text)), text
    for text in PRIVATE:
        assert policy.permits(ip_address(text)) == text.startswith("127."), text


def test_a_network_opens_itself() -> None:
    policy = AddressPolicy((ip_network("10.1.0.0/16"), ip_network("fd12::/16")))
    for text in ("10.1.2.3", "::ffff:10.1.2.3", "fd12::1"):
        assert policy.permits(ip_address(text)), text
    for text in ("10.2.0.1", "::ffff:10.2.0.1", "127.0.0.1", "fd13::1", "::10.1.2.3"):
        assert not policy.permits(ip_address(text)), text


NEVER = [
    "169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192",
    "fd00:ec2::254", "fd20:ce::254", "fe80::a9fe:a9fe", "0.0.0.0", "::", "224.0.0.1", "ff02::1",
    "255.255.255.255",
]  # fmt: skip


@pytest.mark.parametrize("text", NEVER)
def test_some_addresses_no_setting_opens(text: str) -> None:
    everything = (ip_network("0.0.0.0/0"), ip_network("::/0"))
    policy = AddressPolicy(everything, development=True)
    address = ip_address(text)
    assert not policy.permits(address)
    if isinstance(address, IPv4Address):
        assert [name for name, form in forms(text).items() if policy.permits(form)] == []


@pytest.mark.parametrize("opened", ["0.0.0.0/0", "::/0", "127.0.0.0/8", "::ffff:0:0/96"])
def test_only_development_opens_loopback(opened: str) -> None:
    """Also in a form that carries it."""
    policy = AddressPolicy((ip_network(opened),))
    for address in (ip_address("127.0.0.1"), ip_address("::1"), *forms("127.0.0.1").values()):
        assert not policy.permits(address), address


@pytest.mark.parametrize(
    "networks", ["127.0.0.0/8", "10.0.0.0/8, 127.1.2.3", "0.0.0.0/0", "::/0", "::1", "::/127"]
)
def test_a_range_that_holds_loopback_is_refused_with_what_to_do(networks: str) -> None:
    with pytest.raises(ValueError, match=r"holds loopback.* BOTCORE_DEVELOPMENT=true"):
        OutgoingSettings.model_validate({"plugin_networks": networks})
    given = {"plugin_networks": networks, "development": True}
    assert OutgoingSettings.model_validate(given).plugin_networks


def test_other_private_ranges_are_taken() -> None:
    settings = OutgoingSettings.model_validate({"plugin_networks": "10.0.0.0/8,fd00::/8"})
    assert settings.plugin_networks == (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
