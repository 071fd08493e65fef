"""A Debian system with systemd as PID 1, for what listens to systemd: .build/root-bookworm, booted by systemd-nspawn(1)."""

import os
import signal
import subprocess
import time
from pathlib import Path

from rig import HERE, MeasurementError, tool, wait_until

ROOT = HERE.parent.parent / ".build/root-bookworm"


class BootedSystem:
    """What changes in it is gone when it ends. Needs root, cgroup v2 and the system's folder."""

    def __init__(self) -> None:
        if os.geteuid() != 0 or not ROOT.exists():
            raise MeasurementError(f"systemd is booted as root from {ROOT}, which ./build.sh bench makes")
        parents = [path for path in map(Path, ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"))
                   if (path / "cgroup.controllers").exists()]
        if not parents:
            raise MeasurementError("no cgroup v2 in /sys/fs/cgroup")
        self._name = f"bench-{os.getpid()}"
        self._group = parents[0] / self._name
        self._leader = 0

    def __enter__(self) -> "BootedSystem":
        self._group.mkdir()
        command = [
            tool("systemd-nspawn"), "--quiet", "--boot", f"--directory={ROOT.resolve()}", "--volatile=overlay",
            f"--machine={self._name}", "--register=no", "--keep-unit", "--link-journal=no", "--console=pipe",
        ]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            preexec_fn=lambda: (self._group / "cgroup.procs").write_text("0"))
        try:
            wait_until(self._find_leader, 30, "systemd-nspawn starts PID 1", interval=0.1)
            wait_until(self._is_running, 90, "the booted system is up", interval=0.3)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def bus(self) -> str:
        return f"unix:path=/proc/{self._leader}/root/run/dbus/system_bus_socket"

    def run(self, *command: str) -> subprocess.CompletedProcess:
        """Runs a command in there to its end."""
        enter = [tool("nsenter"), "--target", str(self._leader), "--all", "--"]
        return subprocess.run([*enter, *command], capture_output=True, text=True, timeout=60)

    def close(self) -> None:
        try:
            (self._group / "cgroup.kill").write_text("1")
        except OSError:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        for group in (self._group, Path("/sys/fs/cgroup/systemd") / self._name):
            deadline = time.monotonic() + 10
            while group.exists() and time.monotonic() < deadline:
                for folder, _, _ in os.walk(group, topdown=False):
                    try:
                        os.rmdir(folder)
                    except OSError:  # something in there is still ending
                        time.sleep(0.05)

    def _find_leader(self) -> bool:
        if self._process.poll() is not None:
            raise MeasurementError("systemd-nspawn ended")
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for child in children:
            try:
                status = Path(f"/proc/{child}/status").read_text().splitlines()
            except OSError:
                continue
            ids = next((line.split()[1:] for line in status if line.startswith("NSpid:")), [])
            if ids[1:] == ["1"] and status[0] == "Name:\tsystemd":
                self._leader = int(child)
        return self._leader > 0

    def _is_running(self) -> bool:
        return self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")
