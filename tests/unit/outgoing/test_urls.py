"""One written form of each URL; what can be read in two ways is refused."""

import pytest

from impl.outgoing.urls import ForbiddenUrlError, HostPolicy, read_url

ODD = [
    "", "http://", "http:///x", "//example.com/", "example.com", "ftp://example.com/",
    "file:///etc/passwd", "gopher://example.com/", "javascript:alert(1)", "http:example.com",
    # User information, also where it is empty or hides the host.
    "http://user@example.com/", "http://user:pass@example.com/", "http://@example.com/",
    "http://example.com@127.0.0.1/", "http://example.com:80@127.0.0.1/",
    # Backslashes, white space and control characters.
    "http://example.com\\@127.0.0.1/", "http:\\\\example.com", "http://exa mple.com/",
    "http://example.com/a b", " http://example.com/", "http://example.com/\n",
    "http://example.com\t/", "http://example.com/\x00",
    # Numbers.
    "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://017700000001/",
    "http://0177.0.0.1/", "http://127.1/", "http://127.0.1/", "http://127.0.0.01/", "http://1/",
    "http://1.2.3.4.5/", "http://256.0.0.1/", "http://127.0.0.0x1/", "http://a.1/", "http://0x/",
    "http://4294967296/", "http://00000000177.0.0.1/",
    # Dots.
    "http://example.com./", "http://127.0.0.1./", "http://localhost./", "http://.example.com/",
    "http://a..b/", "http://./", "http://../",
    # Escapes and letters that are folded to others.
    "http://%31%32%37.0.0.1/", "http://127%2e0.0.1/", "http://example%2ecom/",
    "http://①②⑦.0.0.1/", "http://\uff11\uff12\uff17.0.0.1/", "http://127。0。0。1/", "http://exämple.com/",
    "http://ⓔxample.com/",
    # IPv6.
    "http://::1/", "http://[::1/", "http://[::1%25lo]/", "http://[fe80::1%eth0]/",
    "http://[v1.x]/", "http://[127.0.0.1]/", "http://[]/", "http://[::1]x/", "http://[1::2::3]/",
    # Ports.
    "http://example.com:/", "http://example.com:0/", "http://example.com:080/",
    "http://example.com:65536/", "http://example.com:99999999/", "http://example.com:80:80/",
    "http://example.com:+80/", "http://example.com:\uff18\uff10/",
    # Names.
    "http://-a.example/", "http://a-.example/", "http://" + "a" * 64 + "/", "http://a,b/",
    "http://" + ".".join(["a" * 60] * 5) + "/", "http://" + "a" * 3000,
]  # fmt: skip


@pytest.mark.parametrize("url", ODD)
def test_an_odd_url_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenUrlError):
        read_url(url)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://example.com", ("http", "example.com", 80)),
        ("HTTPS://Example.COM/a?b=c#d", ("https", "example.com", 443)),
        ("http://example.com:8080/a%20b/~c", ("http", "example.com", 8080)),
        ("http://text_reply:9000/", ("http", "text_reply", 9000)),
        ("http://xn--bcher-kva.example/", ("http", "xn--bcher-kva.example", 80)),
        ("http://1.1.1.1/", ("http", "1.1.1.1", 80)),
        ("http://[2606:4700::1111]:81/x", ("http", "2606:4700::1111", 81)),
        ("http://[2606:4700:0:0:0:0:0:1111]/", ("http", "2606:4700::1111", 80)),
        ("http://1a.example/", ("http", "1a.example", 80)),
        ("http://example.com?a=b@c", ("http", "example.com", 80)),
    ],
)
def test_an_ordinary_url_is_read(url: str, origin: tuple[str, str, int]) -> None:
    target = read_url(url)
    assert target.origin == origin
    assert target.url.raw_host is not None
    assert (target.address is not None) == (origin[1][0] in "12" and origin[1] != "1a.example")


def test_what_is_said_repeats_nothing_of_the_url() -> None:
    with pytest.raises(ForbiddenUrlError) as refused:
        read_url("http://name:secret@example.com/")
    assert "secret" not in str(refused.value)
    assert "name" not in str(refused.value)


def test_lists_of_hosts() -> None:
    policy = HostPolicy(("a.example", "*.b.example"), ("bad.b.example",))
    assert [
        host
        for host in ("a.example", "x.a.example", "b.example", "c.b.example", "bad.b.example", "d")
        if policy.permits(host)
    ] == ["a.example", "c.b.example"]
    assert HostPolicy(denied=("*.a",)).permits("a")
    assert not HostPolicy(denied=("*.a",)).permits("b.a")
