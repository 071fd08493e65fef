import Linux

/// The method calls that wait for their reply, each with its deadline; at most ``capacity`` of them.
struct Calls {
  enum Purpose: Equatable {
    case hello
    case addMatch
    case systemdOwner
    case loginOwner
    case subscribe
    case listUnits
    /// The properties of a unit, for the record that waits for them.
    case properties
  }

  struct Call {
    let serial: UInt32
    let purpose: Purpose
    let deadline: UInt64
  }

  /// As libdbus and sd-bus have it.
  static let timeoutNanoseconds: UInt64 = 25_000_000_000
  static let capacity = 64

  private var calls: [Call] = []

  mutating func add(_ serial: UInt32, _ purpose: Purpose) {
    calls.append(
      Call(
        serial: serial, purpose: purpose,
        deadline: monotonicNanoseconds() + Self.timeoutNanoseconds))
  }

  /// The call that a message replies to, which waits no longer.
  mutating func take(_ serial: UInt32) -> Call? {
    for index in calls.indices where calls[index].serial == serial {
      return calls.remove(at: index)
    }
    return nil
  }

  /// The next call that was not answered in time.
  mutating func takeOverdue(_ now: UInt64) -> Call? {
    guard let first = calls.first, first.deadline <= now else { return nil }
    return calls.removeFirst()
  }

  mutating func removeAll() {
    calls.removeAll(keepingCapacity: true)
  }

  var nextDeadline: UInt64? { calls.first?.deadline }
}
