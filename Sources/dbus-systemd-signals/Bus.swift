import CDBus
import Linux
import Records

/// Why there is no connection to the bus.
struct BusError: Error {
  let description: Text
}

/// A connection to a message bus, driven by the caller's event loop: libdbus starts no thread and
/// never waits.
///
/// Messages are taken with ``next()``, replies are known by their serial number. libdbus has a
/// timeout only for each of its pending calls, of which there are none; ``Calls`` keeps the time.
final class Bus {
  private let connection: OpaquePointer
  /// libdbus has one for reading and one for writing, on the same socket.
  private var watches: [OpaquePointer] = []
  /// What the event loop waits for now.
  private var waiting: (descriptor: Int32, readiness: Readiness)?
  private var isClosed = false

  /// Connects the socket; the authentication goes on in the event loop.
  init(address: Text) throws(BusError) {
    var error = DBusError()
    dbus_error_init(&error)
    defer { dbus_error_free(&error) }
    guard let connection = dbus_connection_open_private(address.c, &error) else {
      throw BusError(description: error.message.map { Text(cString: $0) } ?? "no memory")
    }
    self.connection = connection
    dbus_connection_set_exit_on_disconnect(connection, 0)
    // The list of 10,000 units is 3 MB.
    dbus_connection_set_max_message_size(connection, 8 << 20)
    dbus_connection_set_max_received_size(connection, 8 << 20)
    dbus_connection_set_max_message_unix_fds(connection, 0)
    let added = dbus_connection_set_watch_functions(
      connection,
      { watch, object in
        Bus.from(object).watches.append(watch!)
        return 1
      },
      { watch, object in Bus.from(object).watches.removeAll { $0 == watch } },
      // Whether a watch is enabled is asked before each wait.
      { _, _ in }, Unmanaged.passUnretained(self).toOpaque(), nil)
    guard added != 0 else {
      close()
      throw BusError(description: "no memory")
    }
  }

  deinit { close() }

  private static func from(_ object: UnsafeMutableRawPointer?) -> Bus {
    Unmanaged.fromOpaque(object!).takeUnretainedValue()
  }

  /// Call it while somebody still holds the object: libdbus takes back its watches.
  func close() {
    guard !isClosed else { return }
    isClosed = true
    _ = dbus_connection_set_watch_functions(connection, nil, nil, nil, nil, nil)
    dbus_connection_close(connection)
    dbus_connection_unref(connection)
  }

  var isConnected: Bool { !isClosed && dbus_connection_get_is_connected(connection) != 0 }

  /// Sends the message as soon as the socket takes it; returns the serial number that a reply has.
  func send(_ message: borrowing Message) -> UInt32 {
    var serial: UInt32 = 0
    if !isClosed { dbus_connection_send(connection, message.raw, &serial) }
    return serial
  }

  /// The next message that has come.
  func next() -> Message? {
    guard !isClosed, let message = dbus_connection_pop_message(connection) else { return nil }
    return Message(owning: message)
  }

  // MARK: The event loop

  /// Lets the loop wait for what libdbus wants now.
  func updateWaiting<Source>(
    in loop: borrowing EventLoop<Source>, as source: Source
  ) throws(SystemError) {
    var wanted = Readiness()
    var descriptor: Int32 = -1
    for watch in watches {
      descriptor = dbus_watch_get_unix_fd(watch)
      guard dbus_watch_get_enabled(watch) != 0 else { continue }
      let flags = dbus_watch_get_flags(watch)
      if flags & DBUS_WATCH_READABLE.rawValue != 0 { wanted.insert(.reading) }
      if flags & DBUS_WATCH_WRITABLE.rawValue != 0 { wanted.insert(.writing) }
    }
    // Without a watch the socket is closed, and the loop has forgotten it.
    guard descriptor >= 0 else { return waiting = nil }
    if let waiting, waiting.descriptor == descriptor {
      if waiting.readiness == wanted { return }
      try loop.change(descriptor, source, wanted)
    } else {
      try loop.add(descriptor, source, wanted)
    }
    waiting = (descriptor, wanted)
  }

  /// Reads and writes what the socket is ready for.
  func handle(_ readiness: Readiness) {
    let all: [(Readiness, DBusWatchFlags)] = [
      (.reading, DBUS_WATCH_READABLE), (.writing, DBUS_WATCH_WRITABLE),
      (.failed, DBUS_WATCH_ERROR), (.hungUp, DBUS_WATCH_HANGUP),
    ]
    for watch in watches {
      // Handling one may take back the others.
      guard watches.contains(watch), dbus_watch_get_enabled(watch) != 0 else { continue }
      let mine =
        dbus_watch_get_flags(watch) | DBUS_WATCH_ERROR.rawValue | DBUS_WATCH_HANGUP.rawValue
      var flags: UInt32 = 0
      for (readiness_, flag) in all where readiness.contains(readiness_) { flags |= flag.rawValue }
      if flags & mine != 0 { dbus_watch_handle(watch, flags & mine) }
    }
  }
}

extension Readiness {
  /// EPOLLERR and EPOLLHUP, told without being asked for.
  fileprivate static let failed = Readiness(rawValue: 0x8)
  fileprivate static let hungUp = Readiness(rawValue: 0x10)
}
