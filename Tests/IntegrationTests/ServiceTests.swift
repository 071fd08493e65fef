import CLinux
import Foundation
import Testing

/// What the service manager is told: sd_notify(3), against a socket of our own.
struct ServiceTests {
  /// A datagram socket as NOTIFY_SOCKET names it.
  private final class NotifySocket {
    let path: String
    private let descriptor: Int32

    init(in folder: URL) {
      path = folder.appending(path: "notify").path()
      descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | O_NONBLOCK, 0)
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
      let result = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      #expect(result == 0)
    }

    deinit { close(descriptor) }

    private var received: [String] = []

    /// All messages up to now.
    var messages: [String] {
      var buffer = [UInt8](repeating: 0, count: 4096)
      while true {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count <= 0 { return received }
        received.append(String(decoding: buffer[..<count], as: UTF8.self))
      }
    }
  }

  @Test(arguments: ["cyclic-sysinfo", "cyclic-file-read", "posix-mq-to-mqtt-bridge"])
  func readyWatchdogAndStoppingAreTold(_ program: String) throws {
    let rig = try Rig()
    let socket = NotifySocket(in: rig.folder)
    // Longer than the watchdog's period, so that feeding it is what wakes the program.
    let options = program.hasPrefix("cyclic") ? ["--interval", "1h"] : ["--port", "1"]
    let process = try rig.program(
      program, options, environment: ["NOTIFY_SOCKET": socket.path, "WATCHDOG_USEC": "200000"])
    try eventually("ready") {
      socket.messages.contains { $0.hasPrefix("READY=1\nSTATUS=") }
    }
    try eventually("the watchdog is fed") { socket.messages.count { $0 == "WATCHDOG=1" } >= 5 }
    #expect(try process.stop() == 0)
    #expect(socket.messages.contains("STOPPING=1"))
  }

  @Test func aNotifySocketThatIsNoneIsOneLine() throws {
    let rig = try Rig()
    let process = try rig.program(
      "cyclic-sysinfo", environment: ["NOTIFY_SOCKET": "nonsense"])
    #expect(try process.wait() == 1)
    #expect(process.log.last == "cyclic-sysinfo: error: NOTIFY_SOCKET nonsense: Invalid argument")
  }

  @Test func theJournalGetsPriorities() throws {
    let rig = try Rig()
    // JOURNAL_STREAM is the device and inode of stderr: sh can find out before it becomes ours.
    let program = try Rig.command("cyclic-sysinfo", on: .amd64)[0]
    let process = try ChildProcess(
      [
        "/bin/sh", "-c",
        "JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec \(program) --nonsense",
      ], name: "sh", in: rig.folder)
    #expect(try process.wait() == 2)
    #expect(
      process.log == ["<3>--nonsense is not an option; cyclic-sysinfo --help lists them"])
  }

  /// A trap says where, then dies of its signal: what a core dump needs.
  @Test func aCrashSaysWhere() throws {
    let rig = try Rig()
    let process = try rig.program("cyclic-sysinfo", ["--print", "--interval", "100ms"])
    try eventually("it runs") { !process.output.isEmpty }
    process.send(SIGSEGV)
    #expect(try process.wait() == -SIGSEGV)
    #expect(process.log.last?.hasPrefix("<2>crashed at offset 0x") == true)
  }
}
