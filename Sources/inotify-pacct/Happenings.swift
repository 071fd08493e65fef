import Records

/// What happened to accounting itself and has not been told yet, in its order.
///
/// The same thing twice in succession is one, and after sixteen nothing more is added while nobody
/// takes them: the log has it, and the counts that are told with the next one.
struct Happenings: Equatable {
  /// Four bits for each; the first in the lowest.
  private var states: UInt64 = 0
  private(set) var count = 0

  var first: AccountingState.State? {
    count == 0 ? nil : AccountingState.State(rawValue: UInt8(states & 15))
  }

  mutating func append(_ state: AccountingState.State) {
    guard count < 16, count == 0 || states >> UInt64(4 * count - 4) != UInt64(state.rawValue)
    else { return }
    states |= UInt64(state.rawValue) << UInt64(4 * count)
    count += 1
  }

  mutating func removeFirst() {
    states >>= 4
    count -= 1
  }
}
