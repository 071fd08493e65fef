import CLinux
import Daemon
import Linux
import Records

/// Network interfaces, sockets and Wi-Fi: /proc/net and /sys/class/net.
struct NetworkGroup: ~Copyable, Group {
  private var devices: ProcFile

  init(procfs: String, sysfs: String) throws(SystemError) {
    var devices = ProcFile(procfs + "/net/dev")
    try devices.open()
    self.devices = devices
  }

  mutating func sample(_ sender: inout RecordSender, _ log: Log) throws(SystemError) {
  }
}
