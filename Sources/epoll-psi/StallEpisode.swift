import Records

/// Decides from the totals of one trigger what to tell: when the stall begins, goes on and is over.
///
/// The kernel tells that a threshold was passed, and nothing when the pressure goes; so from the
/// onset on the total is looked at once per window, until the stall of one was below the threshold.
/// Totals and times only grow; what goes backwards counts as no growth.
struct StallEpisode: Equatable, Sendable {
  /// What a record tells, in microseconds.
  struct Step: Equatable, Sendable {
    let state: PressureStall.State
    let stall: UInt64
    let interval: UInt64
    let episode: UInt64
    let episodeStall: UInt64
  }

  /// A total in microseconds, and when it was read, in nanoseconds.
  private struct Reading: Equatable {
    let total: UInt64
    let time: UInt64

    func stall(until later: Reading) -> UInt64 { later.total > total ? later.total - total : 0 }
    func microseconds(until later: Reading) -> UInt64 {
      later.time > time ? (later.time - time) / 1000 : 0
    }
  }

  private let threshold: UInt64
  private let window: UInt64
  private let isPolled: Bool
  /// When the trigger was set.
  private let first: Reading
  private var recorded: Reading
  private var checked: Reading
  private var onset: Reading?
  private var hasFiredSinceRecord = false

  init(_ trigger: Trigger, isPolled: Bool, total: UInt64, at time: UInt64) {
    threshold = UInt64(trigger.thresholdMicroseconds)
    window = UInt64(trigger.windowMicroseconds)
    self.isPolled = isPolled
    first = Reading(total: total, time: time)
    recorded = first
    checked = first
  }

  var isRunning: Bool { onset != nil }

  /// When to look at the total again, in nanoseconds; nil: the kernel will tell.
  ///
  /// During a stall the kernel fires again after a window and up to a tenth of it; only where it
  /// does not, a look is due.
  var due: UInt64? {
    if onset != nil { return checked.time + window * 1250 }
    return isPolled ? checked.time + window * 1000 : nil
  }

  /// The kernel's trigger fired, and the file shows this total now. nil: nothing to tell.
  mutating func fired(_ total: UInt64, at time: UInt64) -> Step? {
    let now = Reading(total: total, time: time)
    guard onset != nil else {
      // Linux 6.5 and later start a trigger without privilege from another counter
      // (psi_trigger_create: PSI_POLL, not PSI_AVGS): it fires at the first stall, however short.
      guard first.stall(until: now) >= threshold else { return nil }
      onset = now
      return step(.onset, now)
    }
    // At most one record per window.
    guard recorded.microseconds(until: now) >= window / 10 * 9 else {
      hasFiredSinceRecord = true
      return nil
    }
    return step(.ongoing, now)
  }

  /// It is ``due``, and the file shows this total now. nil: nothing to tell.
  mutating func looked(_ total: UInt64, at time: UInt64) -> Step? {
    let now = Reading(total: total, time: time)
    let isAbove = exceedsThreshold(now)
    guard onset != nil else {
      guard isAbove else {
        checked = now
        return nil
      }
      onset = now
      return step(.onset, now)
    }
    return step(isAbove || hasFiredSinceRecord ? .ongoing : .over, now)
  }

  /// The cgroup was removed; this is the last total that was seen. nil: there was no stall.
  mutating func ended(_ total: UInt64, at time: UInt64) -> Step? {
    onset == nil ? nil : step(.gone, Reading(total: total, time: time))
  }

  private mutating func step(_ state: PressureStall.State, _ now: Reading) -> Step {
    let start = onset ?? now
    defer {
      recorded = now
      checked = now
      hasFiredSinceRecord = false
      if state == .over || state == .gone { onset = nil }
    }
    return Step(
      state: state, stall: recorded.stall(until: now), interval: recorded.microseconds(until: now),
      episode: start.microseconds(until: now), episodeStall: start.stall(until: now))
  }

  /// Whether the share of stall since the last look is at least the trigger's.
  private func exceedsThreshold(_ now: Reading) -> Bool {
    // Within 24 bits each, threshold and window leave 40 for the other factor.
    let limit: UInt64 = 1 << 40 - 1
    let stall = min(checked.stall(until: now), limit)
    let elapsed = max(1, min(checked.microseconds(until: now), limit))
    return stall * window >= threshold * elapsed
  }
}
