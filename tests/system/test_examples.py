"""The example configurations, in each way that they offer: TLS, separate programs, plain CGI, shared hosting.

Only values of their variables are replaced, and the marks taken away that they say are to be taken away. Programs, database
and settings are those of the suite's own server.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

import pytest
import requests

from support import free_port

TOP = pathlib.Path(__file__).resolve().parents[2]
APP = pathlib.Path(os.environ["SOUK_BIN"]).parents[1]
CONF = os.environ["SOUK_CONF"]
ROOT = os.getuid() == 0
AS_SERVICE = ["setpriv", "--reuid", "www-data", "--regid", "www-data", "--init-groups"] if ROOT else []
MONITOR = {"Authorization": "Bearer " + os.environ["SOUK_MONITOR_TOKEN"]}
SEARCH = "/api/mcp/customersProducts?action=search&query=lampe"


def uncomment(text, mark):
    assert re.search(f"(?m)^#{mark} ", text)
    return re.sub(f"(?m)^#{mark} ", "", text)


@pytest.fixture
def place():
    """A short folder that the service's user may write."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="souk-t-", dir="/tmp"))
    os.chmod(path, 0o755)
    for name in ("run", "log"):
        (path / name).mkdir()
        if ROOT:
            shutil.chown(path / name, "www-data")
    yield path
    shutil.rmtree(path)


@pytest.fixture
def start(place):
    """start(command, port): run a server and wait until it listens."""
    started = []

    def start_server(command, port):
        log = open(place / "out.log", "w")
        started.append(subprocess.Popen(AS_SERVICE + command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                        start_new_session=True))
        log.close()
        end = time.monotonic() + 60
        while time.monotonic() < end and started[-1].poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.05)
        logs = "".join(f.read_text(errors="replace") for f in [place / "out.log", *(place / "log").iterdir()])
        pytest.fail(f"{command} does not listen:\n{logs}")

    yield start_server
    for p in started:
        p.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            p.wait(60)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(p.pid, signal.SIGKILL)
        p.wait()


def lighttpd(place, edit=lambda text: text, **more):
    port = free_port()
    values = {"bind": '"127.0.0.1"', "port": port, "prefix": f'"{APP}"', "conf": f'"{CONF}"', "run": f'"{place}/run"',
              "log": f'"{place}/log"', **more}
    text = edit((TOP / "lighttpd.conf.example").read_text())
    for name, value in values.items():
        text, n = re.subn(rf"(?m)^var\.{name} .*$", lambda m, s=f"var.{name} = {value}": s, text)
        assert n == 1, name
    (place / "httpd.conf").write_text(text)
    subprocess.run(["lighttpd", "-tt", "-f", place / "httpd.conf"], check=True)
    return ["lighttpd", "-D", "-f", str(place / "httpd.conf")], port


def apache(place, *defines, edit=lambda text: text, **more):
    port = free_port()
    values = {"bind": "127.0.0.1", "port": port, "prefix": APP, "conf": CONF, "run": f"{place}/run", "log": f"{place}/log"}
    text = edit((TOP / "apache.conf.example").read_text())
    for name, value in values.items():
        text, n = re.subn(rf"(?m)^Define souk_{name} .*$", f"Define souk_{name} {value}", text)
        assert n == 1, name
    text = "".join(f"Define souk_{name} {value}\n" for name, value in more.items()) + text
    (place / "httpd.conf").write_text(text)
    options = [x for d in ("souk_alone", *defines) for x in ("-D", d)]
    return ["apache2", *options, "-D", "FOREGROUND", "-f", str(place / "httpd.conf")], port


def check_programs(url, verify=True, routes=("/api/mcp/status", "/readyz", SEARCH)):
    """What every way of running the programs must give."""
    for route in routes:
        r = requests.get(url + route, headers=MONITOR, timeout=20, verify=verify)
        assert r.status_code == 200, (route, r.status_code, r.text[:300])
    r = requests.get(url + "/api/mcp/status", timeout=20, verify=verify)
    assert r.status_code == 401
    r = requests.post(url + "/mcp", timeout=20, verify=verify, headers={"Accept": "application/json, text/event-stream"},
                      json={"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                            "params": {"name": "search_products", "arguments": {"query": "lampe"}}})
    assert r.status_code == 200 and r.json()["result"]["structuredContent"]


def programs_running():
    """Names of the installed programs that run now."""
    names = set()
    for p in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            exe = pathlib.Path(os.readlink(p / "exe"))
            if exe.parent == APP / "lib/souk/cgi-bin":
                names.add(exe.name)
    return names


def check_front_page(url, verify=True):
    r = requests.get(url + "/", timeout=20, verify=verify)
    assert r.status_code == 200 and "default-src 'none'" in r.headers["Content-Security-Policy"]
    return r


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    d = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", d / "key.pem",
                    "-out", d / "cert.pem"], check=True, capture_output=True)
    return d


def readable(certificate, place):
    for name in ("cert.pem", "key.pem"):
        shutil.copy(certificate / name, place / name)
        if ROOT:
            shutil.chown(place / name, "www-data")


def check_tls(url, certificate):
    cert = str(certificate / "cert.pem")
    check_programs(url, verify=cert)
    r = check_front_page(url, verify=cert)
    assert r.headers["Strict-Transport-Security"] == "max-age=31536000"
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    host, port = url.removeprefix("https://").split(":")
    with pytest.raises((ssl.SSLError, ConnectionResetError)), socket.create_connection((host, int(port))) as s:
        old.wrap_socket(s)


def test_lighttpd_tls(place, start, certificate):
    readable(certificate, place)
    tls = free_port()
    command, port = lighttpd(place, lambda t: uncomment(t, "tls"), tlsport=tls, cert=f'"{place}/cert.pem"',
                             key=f'"{place}/key.pem"')
    start(command, port)
    check_tls(f"https://127.0.0.1:{tls}", certificate)
    r = requests.get(f"http://127.0.0.1:{port}/api/mcp/status?a=b", allow_redirects=False, timeout=10)
    assert (r.status_code, r.headers["Location"]) == (308, f"https://127.0.0.1:{tls}/api/mcp/status?a=b")


def test_apache_tls(place, start, certificate):
    readable(certificate, place)
    command, port = apache(place, "souk_tls", cert=f"{place}/cert.pem", key=f"{place}/key.pem")
    start(command, port)
    check_tls(f"https://127.0.0.1:{port}", certificate)


def without_pool(text):
    """The lighttpd example says that plain CGI stands in place of the pool."""
    text, n = re.subn(r'(?ms)^\$HTTP\["url"\] =~ var\.dynamic \{\n\tfastcgi\.server.*?^\}\n', "", text)
    assert n == 1
    return text


def test_lighttpd_separate_programs(place, start):
    command, port = lighttpd(place, lambda t: uncomment(t, "separate"))
    start(command, port)
    check_programs(f"http://127.0.0.1:{port}")
    assert {"products", "inventory", "sales", "mcp", "souk.fcgi"} <= programs_running()
    check_front_page(f"http://127.0.0.1:{port}")


def test_lighttpd_plain_cgi(place, start):
    command, port = lighttpd(place, lambda t: uncomment(without_pool(t), "cgi"))
    start(command, port)
    check_programs(f"http://127.0.0.1:{port}")
    check_front_page(f"http://127.0.0.1:{port}")


def test_apache_plain_cgi(place, start):
    command, port = apache(place, "souk_cgi")
    start(command, port)
    check_programs(f"http://127.0.0.1:{port}")
    check_front_page(f"http://127.0.0.1:{port}")


def test_apache_separate_programs(place, start):
    def edit(text):
        text, n = re.subn(r"(?m)^\t# (ScriptAliasMatch .*)$", r"\1", text)
        assert n >= 2
        lines = text.splitlines()
        own = [x for x in lines if x.startswith("ScriptAliasMatch ^")]
        lines = [x for x in lines if x not in own]
        at = next(n for n, x in enumerate(lines) if x.startswith("<VirtualHost"))
        return "\n".join(lines[:at + 1] + own + lines[at + 1:]) + "\n"

    command, port = apache(place, edit=edit)
    start(command, port)
    check_programs(f"http://127.0.0.1:{port}")
    assert "mcp" in programs_running()


def shared_hosting(place, program):
    """A web space as htaccess.example describes it, on an Apache that belongs to the host."""
    site = place / "public_html"
    shop = site / "shop"
    shutil.copytree(APP / "share/souk/htdocs", shop)
    text = (TOP / "htaccess.example").read_text()
    if program.endswith(".cgi"):
        text = uncomment(text, "cgi").replace("souk.fcgi", program)
    (shop / ".htaccess").write_text(text)
    (shop / program).write_text(f"#!/bin/sh\nSOUK_CONF={place}/souk.conf exec {APP}/lib/souk/cgi-bin/souk.fcgi\n")
    os.chmod(shop / program, 0o755)
    settings = pathlib.Path(CONF).read_text()
    settings = re.sub(r"(?m)^(WORKERS|BASE_PATH) = .*\n", "", settings) + "WORKERS = 1\nBASE_PATH = /shop\n"
    (place / "souk.conf").write_text(settings)
    os.chmod(place / "souk.conf", 0o640)
    if ROOT:
        shutil.chown(place / "souk.conf", "root", "www-data")
    (shop / "other.conf").write_text("secret")
    port = free_port()
    modules = ["mpm_event", "authz_core", "alias", "deflate", "dir", "env", "filter", "headers", "mime", "rewrite", "setenvif",
               "fcgid", "cgid"]
    (place / "httpd.conf").write_text("ServerRoot /usr/lib/apache2\n" + "".join(
        f"LoadModule {m}_module modules/mod_{m}.so\n" for m in modules) + f"""
        DefaultRuntimeDir {place}/run
        PidFile {place}/run/apache.pid
        Mutex file:{place}/run default
        ScriptSock {place}/run/cgid.sock
        FcgidIPCDir {place}/run/fcgid
        FcgidProcessTableFile {place}/run/fcgid.shm
        FcgidMaxRequestLen 10485760
        ErrorLog {place}/log/error.log
        ServerName localhost
        Listen 127.0.0.1:{port}
        TypesConfig /etc/mime.types
        DocumentRoot {site}
        <Directory {site}>
            AllowOverride FileInfo Options AuthConfig Limit Indexes
            Require all granted
        </Directory>
        """)
    return ["apache2", "-D", "FOREGROUND", "-f", str(place / "httpd.conf")], port


@pytest.mark.parametrize("program", ["souk.fcgi", "souk.cgi"])
def test_shared_hosting(place, start, program):
    command, port = shared_hosting(place, program)
    start(command, port)
    url = f"http://127.0.0.1:{port}/shop"
    check_programs(url)
    check_front_page(url)
    old = requests.get(url + "/index.php?mcp&customersProducts&action=search&query=lampe", headers=MONITOR, timeout=20)
    new = requests.get(url + SEARCH, headers=MONITOR, timeout=20)
    assert old.status_code == 200 and old.json() == new.json()
    for hidden in ("/other.conf", "/.htaccess"):
        assert requests.get(url + hidden, timeout=10).status_code == 403
    page = requests.get(url + "/", timeout=10).headers
    assert page["Cross-Origin-Opener-Policy"] == "same-origin" and page["Permissions-Policy"] and page["X-Frame-Options"] == "DENY"
    picture = next((APP / "share/souk/htdocs").rglob("*.svg")).relative_to(APP / "share/souk/htdocs")
    assert "sandbox" in requests.get(f"{url}/{picture}", timeout=10).headers["Content-Security-Policy"]


def test_variables_are_all_that_differs():
    """souk-serve starts the example itself: nothing but values of variables is another."""
    example = (TOP / "lighttpd.conf.example").read_text().splitlines()
    data = pathlib.Path(CONF).parent
    used = (data / "httpd.conf").read_text().splitlines()
    assert len(example) == len(used)
    differ = [a for a, b in zip(example, used) if a != b]
    assert differ and all(re.match(r"var\.(bind|port|prefix|conf|run|log) ", line) for line in differ)
