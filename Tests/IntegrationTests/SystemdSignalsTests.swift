import CLinux
import Foundation
import Testing

/// dbus-systemd-signals where there is no systemd to be heard.
struct SystemdSignalsWithoutSystemdTests {
  @Test func withoutABusItSaysHowToGetOne() throws {
    let rig = try Rig()
    let address = "unix:path=\(rig.folder.path())/no-bus"
    let result = try rig.runProgram("dbus-systemd-signals", "--print", "--address", address)
    #expect(result.status == 69)
    #expect(result.output.isEmpty)
    #expect(result.log.count == 1)
    #expect(result.log.first?.contains("no systemd on \(address)") == true)
    #expect(result.log.first?.contains("apt install dbus") == true)
  }

  @Test(arguments: ["nonsense", "unix:", "tcp:host=127.0.0.1,port=1", ""])
  func anAddressThatIsNoneIsOneLine(_ address: String) throws {
    let rig = try Rig()
    let result = try rig.runProgram("dbus-systemd-signals", "--once", "--address", address)
    #expect(result.status == 69)
    #expect(result.log.count == 1)
  }

  @Test(.needs(command: "dbus-daemon"))
  func onABusWithoutSystemdItSaysSo() throws {
    let rig = try Rig()
    let bus = try PrivateBus(in: rig.folder)
    // A service waits for it, which may come later while the machine starts.
    let begin = Date()
    let service = try rig.program("dbus-systemd-signals", ["--print", "--address", bus.address])
    let result = try rig.runProgram("dbus-systemd-signals", "--once", "--address", bus.address)
    #expect(result.status == 69)
    #expect(result.log.count == 1)
    #expect(
      result.log.first?.contains("org.freedesktop.DBus.Error.NameHasNoOwner") == true)
    #expect(try service.wait(within: 30) == 69)
    #expect(Date().timeIntervalSince(begin) > 9)
    #expect(service.log == result.log)
  }

  @Test(.needs(command: "mosquitto"), .needs(command: "mosquitto_sub"))
  func theBridgeTellsThatItIsUnavailable() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let collector = try rig.program(
      "dbus-systemd-signals", ["--address", "unix:path=\(rig.folder.path())/no-bus"])
    #expect(try collector.wait() == 69)
    try eventually("the status has it") {
      subscriber.messages(of: "/status").contains {
        $0.text("dbus_systemd_signals_state") == "unavailable"
          && $0.text("dbus_systemd_signals_reason")?.contains("apt install dbus") == true
      }
    }
    #expect(try bridge.stop() == 0)
  }

  /// Something listens, but never answers: it neither waits for ever in one call nor spins.
  @Test func aBusThatSaysNothingDoesNotHoldTheProgram() throws {
    let rig = try Rig()
    let path = "\(rig.folder.path())/silent"
    let silent = try SilentSocket(path)
    let collector = try rig.program(
      "dbus-systemd-signals", ["--print", "--address", "unix:path=\(path)"])
    try eventually("it connects") { silent.hasConnection }
    #expect(collector.isRunning)
    #expect(try collector.stop() == 0)
  }
}

/// dbus-daemon(1) with a configuration that lets everybody do everything.
final class PrivateBus {
  let address: String
  private let process: ChildProcess

  init(in folder: URL) throws {
    let command = try #require(Machine.command("dbus-daemon"), "dbus-daemon is not installed")
    address = "unix:path=\(folder.path())/bus"
    process = try ChildProcess(
      [command, "--session", "--nofork", "--nopidfile", "--address=\(address)"],
      name: "dbus-daemon", in: folder)
    try eventually("dbus-daemon listens") {
      FileManager.default.fileExists(atPath: "\(folder.path())/bus")
    }
  }
}

/// A UNIX socket that takes connections and says nothing.
final class SilentSocket {
  private let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)

  init(_ path: String) throws {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    let isListening = result == 0 && listen(listener, 5) == 0
    try #require(isListening)
  }

  deinit { close(listener) }

  var hasConnection: Bool {
    var descriptor = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
    return poll(&descriptor, 1, 0) == 1
  }
}
