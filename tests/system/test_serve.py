"""souk-serve: starting, stopping, crashing, odd places, several at a time."""

import contextlib
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time

import pytest
import requests

from support import free_port

TOP = pathlib.Path(__file__).resolve().parents[2]
SERVE = TOP / "bin" / "souk-serve"
ROOT = os.getuid() == 0


def inherited_environment():
    """Ours without what the suite's own server has put there."""
    drop = re.compile(r"^(SOUK_|DATABASE_URL|REDIS_URL|STATE_DIR|PORT|SERVER|MAKE)")
    env = {k: v for k, v in os.environ.items() if not drop.match(k)}
    if "SOUK_BUILD" in os.environ:
        env["SOUK_BUILD"] = os.environ["SOUK_BUILD"]
    return env


class Instance:
    """One SOUK_HOME."""

    def __init__(self, home, **settings):
        self.home = pathlib.Path(home)
        self.port = free_port()
        self.env = dict(inherited_environment(), SOUK_HOME=str(home), PORT=str(self.port), DEMO="off", **settings)

    def __call__(self, command, timeout=120):
        return subprocess.run([SERVE, command], env=self.env, cwd="/", text=True, timeout=timeout,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def start(self):
        r = self("start")
        assert r.returncode == 0, r.stdout
        return r.stdout

    def demo_env(self):
        lines = (self.home / "demo.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def ready(self):
        return requests.get(f"http://127.0.0.1:{self.port}/readyz", timeout=10).status_code

    def pid(self, name):
        return int((self.home / "pid" / name).read_text().split()[0])

    def data(self):
        link = self.home / "home"
        return pathlib.Path(os.readlink(link)) if link.is_symlink() else self.home

    def processes(self):
        """Those whose command line or folder names this instance."""
        places = [str(self.home), str(self.data()), os.readlink(self.home / "run")]
        found = {}
        for p in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                text = (p / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if any(x in text + os.readlink(p / "exe") + os.readlink(p / "cwd") for x in places):
                    found[int(p.name)] = text
        return found


def install(**variables):
    """What `make install` puts in place of what is built."""
    words = [f"{k}={v}" for k, v in dict(B=os.environ.get("SOUK_BUILD", "build"), **variables).items()]
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    subprocess.run(["make", "-s", "-C", TOP, "copy", *words], check=True, env=env)


@pytest.fixture
def make(tmp_path_factory):
    """make(home=None, **settings) gives an instance that is purged afterwards."""
    made = []

    def make_instance(home=None, **settings):
        if home is None:
            home = pathlib.Path(tempfile.mkdtemp(prefix="souk-test-", dir="/var/tmp")) / "var"
            os.chmod(home.parent, 0o755)
        made.append(Instance(home, **settings))
        return made[-1]

    yield make_instance
    for i in made:
        i("purge")
        # The folder that a test made for itself is the one below /var/tmp.
        top = pathlib.Path(*i.home.parts[:4])
        assert top.name.startswith("souk-test-")
        shutil.rmtree(top, ignore_errors=True)


@pytest.fixture(scope="module")
def running():
    """An instance that tests may look at but not change."""
    top = pathlib.Path(tempfile.mkdtemp(prefix="souk-test-", dir="/var/tmp"))
    os.chmod(top, 0o755)
    i = Instance(top / "var")
    i.start()
    yield i
    i("purge")
    top.rmdir()


def wait_gone(pids, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        left = [p for p in pids if os.path.exists(f"/proc/{p}") and
                open(f"/proc/{p}/stat").read().rsplit(")", 1)[1].split()[0] not in "ZX"]
        if not left:
            return []
        time.sleep(0.05)
    return left


def test_demo_env_names_everything_and_is_private(running):
    env = running.demo_env()
    assert list(env) == ["SOUK_URL", "DATABASE_URL", "REDIS_URL", "SOUK_ADMIN_TOKEN", "SOUK_MONITOR_TOKEN",
                         "SOUK_STAFF_TOKEN", "SOUK_OWNER_PASSWORD"]
    assert stat.S_IMODE((running.home / "demo.env").stat().st_mode) == 0o600
    tokens = [v for k, v in env.items() if k.endswith("_TOKEN")]
    assert len(set(tokens)) == 3
    for token in tokens:
        assert re.fullmatch(r"mcp_key_[A-Za-z0-9]{12}_[A-Za-z0-9]{49}", token)


def test_tokens_have_the_rights_of_their_roles(running):
    env = running.demo_env()

    def status(path, token):
        return requests.get(env["SOUK_URL"] + path, headers={"Authorization": "Bearer " + env[token]},
                            timeout=10).status_code

    assert status("/api/mcp/status", "SOUK_MONITOR_TOKEN") == 200
    assert status("/api/mcp/sales", "SOUK_MONITOR_TOKEN") == 403
    assert status("/api/mcp/sales", "SOUK_STAFF_TOKEN") == 200
    assert status("/api/mcp/sales", "SOUK_ADMIN_TOKEN") == 200


def test_nothing_runs_as_root(running):
    pids = running.processes()
    assert len(pids) >= 8
    for pid, text in pids.items():
        assert os.stat(f"/proc/{pid}").st_uid != 0 or not ROOT, text


def test_only_the_port_is_open(running):
    inodes = set()
    for pid in running.processes():
        for fd in pathlib.Path(f"/proc/{pid}/fd").glob("*"):
            with contextlib.suppress(OSError):
                m = re.match(r"socket:\[(\d+)\]", os.readlink(fd))
                if m:
                    inodes.add(m[1])
    listening = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in open(table).read().splitlines()[1:]:
            f = line.split()
            if f[3] == "0A" and f[9] in inodes:
                listening.add((f[1].split(":")[0], int(f[1].split(":")[1], 16)))
    assert listening == {("0100007F", running.port)}


def test_sockets_are_out_of_reach_of_others(running):
    run = os.readlink(running.home / "run")
    assert stat.S_IMODE(os.stat(run).st_mode) == 0o700
    if ROOT:
        r = subprocess.run(["setpriv", "--reuid", "nobody", "--clear-groups", "psql", "-X", "-c", "SELECT 1",
                            running.demo_env()["DATABASE_URL"]], capture_output=True, text=True, cwd="/")
        assert r.returncode != 0 and "ermission denied" in r.stderr


def test_the_owner_of_the_database_is_no_superuser(running):
    r = subprocess.run(["psql", "-XAt", running.demo_env()["DATABASE_URL"], "-c",
                        "SELECT rolname, rolsuper, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = current_user"],
                       capture_output=True, text=True, check=True)
    assert r.stdout.strip() == "souk|f|t|f"


def test_second_start_is_told_that_it_runs(running):
    r = running("start")
    assert r.returncode == 0
    assert f"already running at http://127.0.0.1:{running.port}" in r.stdout
    assert running("status").returncode == 0
    assert running("run").returncode == 1


def test_stop_and_start_keep_data_and_tokens(make):
    i = make()
    i.start()
    before = i.demo_env()
    subprocess.run(["psql", "-XAqc", "CREATE TABLE kept AS SELECT 42 AS n", before["DATABASE_URL"]], check=True)
    pids = list(i.processes())
    assert i("stop").returncode == 0
    assert wait_gone(pids, 1) == []
    assert i("status").returncode == 3
    with pytest.raises(requests.ConnectionError):
        i.ready()
    i.env["PORT"] = str(free_port())
    i.port = int(i.env["PORT"])
    i.start()
    after = i.demo_env()
    assert {k: v for k, v in after.items() if k != "SOUK_URL"} == {k: v for k, v in before.items() if k != "SOUK_URL"}
    r = subprocess.run(["psql", "-XAtc", "SELECT n FROM kept", after["DATABASE_URL"]], capture_output=True, text=True)
    assert r.stdout == "42\n"
    r = requests.get(after["SOUK_URL"] + "/api/mcp/status", timeout=10,
                     headers={"Authorization": "Bearer " + before["SOUK_MONITOR_TOKEN"]})
    assert r.status_code == 200


def test_stop_twice_and_before_any_start(make):
    i = make()
    assert i("stop").returncode == 0
    i.start()
    assert i("stop").returncode == 0
    assert i("stop").returncode == 0


def test_everything_killed_then_started(make):
    i = make()
    i.start()
    pids = list(i.processes())
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert wait_gone(pids) == []
    assert i("status").returncode == 3
    i.start()
    assert i.ready() == 200


def test_a_lost_web_server_leaves_no_program_behind(make):
    i = make()
    i.start()
    os.kill(i.pid("web"), signal.SIGKILL)
    i.start()
    assert i.ready() == 200
    pools = [p for p, text in i.processes().items() if text.startswith(str(i.data() / "app")) and "souk.fcgi" in text]
    assert 1 < len(pools) <= 5
    i("stop")
    assert i.processes() == {}


def test_a_stale_pid_file_kills_nobody(make):
    i = make()
    i.start()
    i("stop")
    victim = subprocess.Popen(["sleep", "300"], start_new_session=True)
    try:
        boot = open("/proc/sys/kernel/random/boot_id").read().strip()
        for name in ("web", "postgresql", "redis", "pool"):
            (i.home / "pid" / name).write_text(f"{victim.pid} 1 {boot}\n")
        assert i("stop").returncode == 0
        assert victim.poll() is None
        for name in ("web", "postgresql", "redis", "pool"):
            (i.home / "pid" / name).write_text(f"{victim.pid} 1 an-earlier-boot\n")
        pg = i.data() / "pg" / "postmaster.pid"
        pg.write_text(f"{victim.pid}\n{i.data()}/pg\n1\n5432\n/tmp\n\n  1 1\nready   \n")
        i.start()
        assert victim.poll() is None
        assert i.ready() == 200
    finally:
        victim.kill()
        victim.wait()


def test_a_taken_port_is_named_and_nothing_stays(make):
    i = make()
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", i.port))
        s.listen()
        r = i("start")
    assert r.returncode == 1
    assert f"port {i.port} is taken" in r.stdout
    assert i.processes() == {}


@pytest.mark.parametrize("name,value,said", [
    ("PORT", "eighty", "PORT is a number"), ("PORT", "70000", "PORT is a number"),
    ("SERVER", "iis", "SERVER is lighttpd, apache or apache-proxy"), ("WORKERS", "-1", "WORKERS is a number"),
])
def test_wrong_settings_are_named(make, name, value, said):
    i = make()
    i.env[name] = value
    r = i("start")
    assert r.returncode == 1 and said in r.stdout


def test_a_wrong_key_of_the_configuration_is_shown(make):
    i = make(BODY_MAX="lots")
    r = i("start")
    assert r.returncode == 1
    assert "BODY_MAX" in r.stdout
    assert i.processes() == {}


def test_keys_from_the_environment_reach_the_programs(make):
    i = make(SERVER="apache", BODY_MAX="2048", DATABASE_URL="postgresql:///elsewhere", REDIS_URL="redis://192.0.2.1/")
    i.start()
    r = requests.post(f"http://127.0.0.1:{i.port}/mcp", data=b" " * 4096, timeout=10,
                      headers={"Content-Type": "application/json"})
    assert r.status_code == 413


def test_two_side_by_side(make):
    a, b = make(), make()
    a.start()
    b.start()
    assert a.demo_env()["DATABASE_URL"] != b.demo_env()["DATABASE_URL"]
    a("stop")
    assert b.ready() == 200


def test_without_redis(make):
    i = make(REDIS="off")
    i.start()
    assert i.demo_env()["REDIS_URL"] == ""
    assert i.ready() == 200
    assert not (i.home / "pid" / "redis").exists()


@pytest.mark.parametrize("server", ["lighttpd", "apache", "apache-proxy"])
def test_each_front_end(make, server):
    i = make(SERVER=server)
    i.start()
    assert i.ready() == 200
    token = i.demo_env()["SOUK_MONITOR_TOKEN"]
    r = requests.get(f"http://127.0.0.1:{i.port}/api/mcp/status", headers={"Authorization": "Bearer " + token},
                     timeout=10)
    assert r.status_code == 200
    pids = list(i.processes())
    assert i("stop").returncode == 0
    assert wait_gone(pids, 1) == []


def test_in_a_folder_that_only_root_may_enter(make):
    top = pathlib.Path(tempfile.mkdtemp(prefix="souk-test-", dir="/var/tmp"))
    assert stat.S_IMODE(top.stat().st_mode) == 0o700
    i = make(top / "deep" / "var")
    i.start()
    assert i.ready() == 200
    assert (i.home / "home").is_symlink() == ROOT
    assert i("stop").returncode == 0
    i.start()
    data = i.data()
    i("purge")
    assert not data.exists() and not i.home.exists()


def test_in_a_folder_with_a_long_and_odd_name(make):
    top = pathlib.Path(tempfile.mkdtemp(prefix="souk-test-", dir="/var/tmp"))
    os.chmod(top, 0o755)
    home = top / ("a 'quoted' \u00e9t\u00e9 $HOME " + "x" * 180) / ("y" * 200) / "var"
    i = make(home)
    i.start()
    assert i.ready() == 200


def test_run_ends_with_ctrl_c(make):
    i = make()
    run = subprocess.Popen([SERVE, "run"], env=i.env, cwd="/", text=True, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    said = ""
    for line in run.stdout:
        said += line
        if "Ctrl-C stops it" in line:
            break
    assert i.ready() == 200, said
    pids = list(i.processes())
    os.killpg(run.pid, signal.SIGINT)
    assert run.wait(30) == 130
    run.stdout.close()
    assert wait_gone(pids, 1) == []


def test_run_ends_when_a_part_dies(make):
    i = make()
    run = subprocess.Popen([SERVE, "run"], env=i.env, cwd="/", text=True, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    for line in run.stdout:
        if "Ctrl-C stops it" in line:
            break
    os.kill(i.pid("web"), signal.SIGKILL)
    assert run.wait(30) == 1
    assert "a part ended by itself" in run.stdout.read()
    run.stdout.close()
    assert i.processes() == {}


@pytest.mark.skipif(not ROOT, reason="root becomes another user here")
def test_as_an_ordinary_user(make):
    top = pathlib.Path(tempfile.mkdtemp(prefix="souk-test-", dir="/var/tmp"))
    os.chown(top, pwd.getpwnam("nobody").pw_uid, -1)
    os.chmod(top, 0o755)
    i = Instance(top / "var")
    as_nobody = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "env", "HOME=/"]
    if subprocess.run(as_nobody + ["test", "-x", SERVE], check=False).returncode != 0:
        pytest.skip("the checkout cannot be read by others")

    def as_user(command):
        return subprocess.run(as_nobody + [SERVE, command], env=i.env, cwd="/", text=True, timeout=120,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    r = as_user("start")
    try:
        assert r.returncode == 0, r.stdout
        assert i.ready() == 200
        uid = pwd.getpwnam("nobody").pw_uid
        assert {os.stat(f"/proc/{p}").st_uid for p in i.processes()} == {uid}
    finally:
        as_user("purge")
        shutil.rmtree(top, ignore_errors=True)


def test_an_installed_tree_serves_without_the_checkout(make):
    top = pathlib.Path(tempfile.mkdtemp(prefix="souk-test-", dir="/var/tmp"))
    os.chmod(top, 0o755)
    install(PREFIX=f"{top}/opt")
    i = make(top / "state")
    for command in ("start", "status", "stop"):
        r = subprocess.run([top / "opt/bin/souk", "serve", command], env=i.env, cwd="/", text=True, timeout=120,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert r.returncode == 0, r.stdout
        if command == "start":
            assert i.ready() == 200
            assert not (i.data() / "app").exists()


def test_destdir_changes_no_byte():
    with tempfile.TemporaryDirectory() as top:
        install(PREFIX=f"{top}/a")
        install(PREFIX="/a", DESTDIR=f"{top}/b")
        r = subprocess.run(["diff", "-r", f"{top}/a", f"{top}/b/a"], capture_output=True, text=True)
        assert r.returncode == 0, r.stdout
        names = {str(p.relative_to(f"{top}/a")) for p in pathlib.Path(f"{top}/a").rglob("*") if p.is_file()}
        assert {"bin/souk", "bin/souk-serve", "lib/souk/cgi-bin/souk.fcgi", "lib/souk/cgi-bin/mcp",
                "share/souk/lighttpd.conf.example", "share/souk/apache.conf.example", "share/souk/htaccess.example",
                "share/souk/souk.conf.example", "share/souk/sql/bootstrap.sql", "share/souk/htdocs/index.html"} <= names
