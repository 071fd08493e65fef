"""What a person would install instead, doing the nearest comparable job: where Debian or PyPI have it."""

import contextlib
import os
import shutil
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from measure import cpu_seconds, memory, wakeups
from rig import DEVICE, MeasurementError, Rig, Variant, run, tool
from shapes import FILE_READ, SHAPES, SYSINFO

CACHE = Path(os.environ.get("STATS_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stats-recording")
SETTLING_SECONDS = 8

METHOD = """\
Each with a configuration of its own and never as a service, at an interval of 1 s and alone with a fresh Mosquitto, one run of {seconds:g} s that
begins {settling} s after the start. Ours is the bridge with cyclic-sysinfo and cyclic-file-read, processes each second too. Installed size is that of
the Debian packages or of the Python environment without the libraries of the system. prometheus-node-exporter is scraped once a second; what
scrapes it is not counted, and it and netdata publish nothing over MQTT here. linux2mqtt samples every 5 s, which is its shortest."""

COLLECTD = """
Interval 1
BaseDir "{folder}"
PIDFile "{folder}/collectd.pid"
LoadPlugin cpu
LoadPlugin memory
LoadPlugin load
LoadPlugin disk
LoadPlugin interface
LoadPlugin processes
LoadPlugin df
LoadPlugin swap
LoadPlugin uptime
LoadPlugin mqtt
<Plugin mqtt>
  <Publish "bench">
    Host "127.0.0.1"
    Port {port}
    Prefix "stats/bench"
    QoS 1
  </Publish>
</Plugin>
"""

NETDATA = """
[global]
  run as user = root
  update every = 1
[directories]
  cache = {folder}/cache
  lib = {folder}/lib
  log = {folder}/log
  home = {folder}
[db]
  mode = ram
[web]
  bind to = 127.0.0.1
  default port = {port}
[ml]
  enabled = no
[cloud]
  enabled = no
"""

PSMQTT = """
logging:
  level: ERROR
mqtt:
  broker:
    host: 127.0.0.1
    port: {port}
  clientid: bench-psmqtt
  qos: 1
  publish_topic_prefix: stats/bench
schedule:
  - cron: every 1 second
    tasks:
      - task: cpu_times_percent
        params: ["*"]
      - task: virtual_memory
        params: ["*"]
      - task: swap_memory
        params: ["*"]
      - task: disk_usage
        params: ["percent", "/"]
      - task: disk_io_counters
        params: ["*"]
      - task: net_io_counters
        params: ["*"]
      - task: processes
        params: ["*", "cpu_percent"]
"""


@dataclass(frozen=True)
class Peer:
    name: str
    """Starts it; all of its processes that have no parent among them."""
    start: Callable[[Rig], list[subprocess.Popen]]
    """In KiB."""
    installed: Callable[[Variant], int]
    publishes: bool = True


def measure_peers(ours: Variant, seconds: float) -> str:
    lines = ["| | PSS, KiB | RSS, KiB | private dirty, KiB | CPU, ms per s | wake-ups per s | processes / threads | installed, KiB |",
             "|---" + "|---:" * 7 + "|"]
    problems = []
    for peer in PEERS:
        try:
            with Rig(ours) as rig:
                lines.append(_row(peer, rig, seconds))
        except (MeasurementError, OSError) as error:
            problems.append(f"- {peer.name} is left out: {str(error).splitlines()[0]}")
    method = METHOD.format(seconds=seconds, settling=SETTLING_SECONDS)
    return "\n\n".join(part for part in ("## Peers", method, "\n".join(lines), "\n".join(problems)) if part)


def _row(peer: Peer, rig: Rig, seconds: float) -> str:
    processes = peer.start(rig)
    if peer.publishes and not rig.receive_one("stats/bench/#", 30):
        raise MeasurementError(f"it publishes nothing: {rig.errors()[-300:]}")
    time.sleep(SETTLING_SECONDS)
    for process in processes:
        rig.check(process)
    pids = _with_children({process.pid for process in processes})
    before = _counters(pids)
    start = time.monotonic()
    time.sleep(seconds)
    elapsed = time.monotonic() - start
    alive = {pid for pid in pids if Path(f"/proc/{pid}").exists()}
    after = _counters(alive)
    cpu, woken = (sum(after[pid][part] - before[pid][part] for pid in alive) for part in (0, 1))
    kib = [memory(pid) for pid in alive]
    threads = sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in alive)
    values = [f"{sum(each[key] for each in kib):,}" for key in ("Pss", "Rss", "Private_Dirty")]
    values += [f"{cpu / elapsed * 1000:.2f}", f"{woken / elapsed:.1f}", f"{len(alive)} / {threads}", f"{peer.installed(rig.variant):,}"]
    return f"| {peer.name} | {' | '.join(values)} |"


def _with_children(pids: set[int]) -> set[int]:
    found, waiting = set(), list(pids)
    while waiting:
        pid = waiting.pop()
        found.add(pid)
        for task in Path(f"/proc/{pid}/task").iterdir():
            waiting += [int(child) for child in (task / "children").read_text().split()]
    return found


def _counters(pids: set[int]) -> dict[int, tuple[float, int]]:
    return {pid: (cpu_seconds(pid), wakeups(pid)) for pid in pids}


# ---- The peers ----


def _start_ours(rig: Rig) -> list[subprocess.Popen]:
    return [rig.start_bridge(), rig.start_shape(SYSINFO), rig.start_shape(FILE_READ, "--processes-interval", "1s")]


def _start_collectd(rig: Rig) -> list[subprocess.Popen]:
    configuration = rig.folder / "collectd.conf"
    configuration.write_text(COLLECTD.format(folder=rig.folder, port=rig.port))
    return [rig.start([tool("collectd"), "-f", "-C", str(configuration)])]


def _start_node_exporter(rig: Rig) -> list[subprocess.Popen]:
    port = rig.port + 1
    process = rig.start([tool("prometheus-node-exporter"), f"--web.listen-address=127.0.0.1:{port}"])

    def scrape() -> None:
        while process.poll() is None:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read()
            time.sleep(1)

    threading.Thread(target=scrape, daemon=True).start()
    return [process]


def _start_netdata(rig: Rig) -> list[subprocess.Popen]:
    configuration = rig.folder / "netdata.conf"
    configuration.write_text(NETDATA.format(folder=rig.folder, port=rig.port + 1))
    for folder in ("cache", "lib", "log"):
        (rig.folder / folder).mkdir()
    return [rig.start([tool("netdata"), "-D", "-c", str(configuration)])]


def _start_psmqtt(rig: Rig) -> list[subprocess.Popen]:
    configuration = rig.folder / "psmqtt.yaml"
    configuration.write_text(PSMQTT.format(port=rig.port))
    program = _python("psmqtt") / "bin/psmqtt"
    return [rig.start([str(program)], environment={"PSMQTTCONFIG": str(configuration)})]


def _start_linux2mqtt(rig: Rig) -> list[subprocess.Popen]:
    program = _python("linux2mqtt", "psutil<7") / "bin/linux2mqtt"
    options = f"--host 127.0.0.1 --port {rig.port} --name {DEVICE} --topic-prefix stats --interval 5 --cpu 5 --vm --du /"
    return [rig.start([str(program), *options.split()])]


def _python(package: str, *more: str) -> Path:
    """An environment with a package of PyPI, made at the first use."""
    folder = CACHE / "peers" / package
    if not (folder / "bin" / package).exists():
        shutil.rmtree(folder, ignore_errors=True)
        run(tool("python3"), "-m", "venv", folder)
        run(folder / "bin/pip", "install", "--quiet", "--disable-pip-version-check", package, *more)
    return folder


def _debian(*packages: str) -> Callable[[Variant], int]:
    return lambda _: sum(int(run(tool("dpkg-query"), "-W", "-f", "${Installed-Size}", package)) for package in packages)


def _environment(package: str) -> Callable[[Variant], int]:
    return lambda _: int(run(tool("du"), "-sk", "--exclude=pip*", CACHE / "peers" / package).split()[0])


def _programs(ours: Variant) -> int:
    """All eight, though three are measured: they come in one package."""
    return sum((ours.folder / shape.program).stat().st_size for shape in SHAPES) // 1024


PEERS = (
    Peer("**stats-recording**", _start_ours, _programs),
    Peer("collectd", _start_collectd, _debian("collectd-core")),
    Peer("prometheus-node-exporter", _start_node_exporter, _debian("prometheus-node-exporter"), publishes=False),
    Peer("netdata", _start_netdata, _debian("netdata-core"), publishes=False),
    Peer("psmqtt (PyPI)", _start_psmqtt, _environment("psmqtt")),
    Peer("linux2mqtt (PyPI), every 5 s", _start_linux2mqtt, _environment("linux2mqtt")),
)
