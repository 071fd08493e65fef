import CLinux
import Linux

/// Tells the service manager how the program is, as sd_notify(3) documents the protocol: one
/// datagram to the UNIX socket that NOTIFY_SOCKET names. Without a service manager it does nothing.
///
/// Spoken here because libsystemd would double the memory of a small daemon.
public struct ServiceNotifier: ~Copyable {
  private let socket: FileDescriptor?
  /// Half of WATCHDOG_USEC, as sd_watchdog_enabled(3) advises; nil: nobody waits for us.
  public let watchdogNanoseconds: UInt64?

  /// Errors: those of socket(2) and connect(2); EINVAL if NOTIFY_SOCKET is not an address.
  public init() throws(SystemError) {
    guard let address = environment("NOTIFY_SOCKET") else {
      socket = nil
      watchdogNanoseconds = nil
      return
    }
    socket = try Self.connect(to: address)
    watchdogNanoseconds = Self.watchdog(
      microseconds: environment("WATCHDOG_USEC"), process: environment("WATCHDOG_PID"))
  }

  public borrowing func ready(_ status: Text) { send("READY=1\nSTATUS=\(status.readable)") }
  public borrowing func status(_ text: Text) { send("STATUS=\(text.readable)") }
  public borrowing func stopping() { send("STOPPING=1") }
  public borrowing func watchdog() { send("WATCHDOG=1") }

  private borrowing func send(_ message: Text) {
    let bytes = message.bytes
    // A manager that does not listen must not stop us; without READY or WATCHDOG it will say so.
    switch socket {
    case .some(let socket):
      _ = CLinux.send(socket.raw, bytes, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
    case .none: return
    }
  }

  /// WATCHDOG_PID, if set, must be ours: the variables may have been meant for our parent.
  static func watchdog(microseconds: Text?, process: Text?) -> UInt64? {
    if let process, process.number != UInt64(getpid()) { return nil }
    guard let microseconds, let value = microseconds.number, value > 0 else { return nil }
    return value.multipliedReportingOverflow(by: 500).partialValue
  }

  /// A path, or `@` and a name in the abstract name space.
  private static func connect(to text: Text) throws(SystemError) -> FileDescriptor {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var name = text.bytes
    let isAbstract = name.first == UInt8(ascii: "@")
    guard name.first == UInt8(ascii: "/") || isAbstract,
      name.count < MemoryLayout.size(ofValue: address.sun_path)
    else { throw SystemError("NOTIFY_SOCKET", errno: EINVAL, text) }
    if isAbstract { name[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
    let descriptor = CLinux.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SystemError("socket") }
    let socket = FileDescriptor(owning: descriptor)
    let length = 2 + name.count + (isAbstract ? 0 : 1)
    guard clinux_connect_unix(descriptor, &address, socklen_t(length)) == 0 else {
      throw SystemError("connect", text)
    }
    return socket
  }
}
