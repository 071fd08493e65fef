import CLinux
import Foundation
import Testing

/// What the service manager is told: sd_notify(3), against a socket of our own.
struct ServiceTests {
  @Test(arguments: [
    // Longer than the watchdog's period, so that feeding it is what wakes the program.
    ("cyclic-sysinfo", ["--interval", "1h"]), ("cyclic-file-read", ["--interval", "1h"]),
    // Nobody listens on port 1.
    ("posix-mq-to-mqtt-bridge", ["--port", "1"]), ("dlt-proc-watch", ["--port", "1"]),
  ])
  func readyWatchdogAndStoppingAreTold(_ program: String, _ options: [String]) throws {
    let rig = try Rig()
    let socket = NotifySocket(in: rig.folder)
    try socket.expectService(rig.program(program, options, environment: socket.environment))
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
