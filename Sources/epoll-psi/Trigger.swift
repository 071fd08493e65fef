import Daemon
import Linux
import Records

/// How much stall within which time is worth telling: `memory:some:150ms/1s`.
struct Trigger: Equatable, Sendable {
  let resource: PressureResource
  let scope: PressureScope
  let thresholdMicroseconds: UInt32
  let windowMicroseconds: UInt32

  struct ParseError: Error {
    let reason: StaticString
  }

  /// Reads `RESOURCE:SCOPE` or `RESOURCE:SCOPE:THRESHOLD/WINDOW`.
  init(parsing text: Text) throws(ParseError) {
    let parts = parts(text, separator: UInt8(ascii: ":"))
    guard parts.count == 2 || parts.count == 3 else {
      throw ParseError(reason: "write RESOURCE:SCOPE:THRESHOLD/WINDOW, as in memory:some:150ms/2s")
    }
    guard let resource = Self.resource(parts[0]) else {
      throw ParseError(reason: "the resource is cpu, memory, io or irq")
    }
    guard let scope = Self.scope(parts[1]) else {
      throw ParseError(reason: "the scope is some or full")
    }
    if resource == .irq && scope == .some {
      throw ParseError(reason: "interrupts have full alone")
    }
    guard parts.count == 3 else {
      self.init(resource, scope)
      return
    }
    let times = epoll_psi.parts(parts[2], separator: UInt8(ascii: "/"))
    guard times.count == 2, let threshold = Interval(times[0]), let window = Interval(times[1])
    else { throw ParseError(reason: "write the times as THRESHOLD/WINDOW, as in 150ms/2s") }
    guard Self.windows ~= window.nanoseconds else {
      throw ParseError(reason: "the window is from 100ms to 10s")
    }
    guard 1000...window.nanoseconds ~= threshold.nanoseconds else {
      throw ParseError(reason: "the threshold is from 1us to the window")
    }
    self.init(
      resource, scope, threshold: UInt32(threshold.nanoseconds / 1000),
      window: UInt32(window.nanoseconds / 1000))
  }

  /// With the threshold that is the default for these.
  ///
  /// Waiting for a CPU is ordinary on a busy machine, and for an SD card too; waiting for memory is
  /// not. A window of 2 s is one that the kernel gives to everybody.
  init(_ resource: PressureResource, _ scope: PressureScope) {
    let threshold: UInt32 =
      switch (resource, scope) {
      case (.memory, .full): 100_000
      case (.memory, _): 200_000
      case (.io, .full): 300_000
      case (.io, _): 500_000
      default: 1_000_000
      }
    self.init(resource, scope, threshold: threshold, window: 2_000_000)
  }

  /// What is watched unless somebody says otherwise.
  static var defaults: [Trigger] {
    [
      Trigger(.cpu, .some), Trigger(.memory, .some), Trigger(.memory, .full), Trigger(.io, .some),
      Trigger(.io, .full),
    ]
  }

  /// psi.rst: 10 s at most; before Linux 6.4 also 500 ms at least.
  private static let windows: ClosedRange<UInt64> = 100_000_000...10_000_000_000

  private static func resource(_ word: Text) -> PressureResource? {
    for resource in PressureResource.known where word == resource.name { return resource }
    return nil
  }

  private static func scope(_ word: Text) -> PressureScope? {
    if word == "some" { return .some }
    if word == "full" { return .full }
    return nil
  }

  private init(
    _ resource: PressureResource, _ scope: PressureScope, threshold: UInt32, window: UInt32
  ) {
    self.resource = resource
    self.scope = scope
    thresholdMicroseconds = threshold
    windowMicroseconds = window
  }

  /// The trigger that the kernel allows without CAP_SYS_RESOURCE, nil if it is that already.
  ///
  /// Since Linux 6.5 windows are multiples of 2 s there: the next longer one, with the same share of
  /// it as threshold.
  var withoutPrivilege: Trigger? {
    let step: UInt64 = 2_000_000
    let window = UInt64(windowMicroseconds)
    if window % step == 0 { return nil }
    let longer = (window + step - 1) / step * step
    let threshold = (UInt64(thresholdMicroseconds) * longer + window - 1) / window
    return Trigger(resource, scope, threshold: UInt32(threshold), window: UInt32(longer))
  }

  /// What the kernel reads: `some 150000 1000000`, and a zero byte that it may overwrite.
  var command: [UInt8] {
    let threshold = UInt64(thresholdMicroseconds)
    let window = UInt64(windowMicroseconds)
    return Text("\(scope.name) \(threshold) \(window)\0").bytes
  }

  /// In the grammar of the option.
  var description: Text {
    let threshold = Interval(nanoseconds: UInt64(thresholdMicroseconds) * 1000)
    let window = Interval(nanoseconds: UInt64(windowMicroseconds) * 1000)
    return "\(resource.name):\(scope.name):\(threshold.description)/\(window.description)"
  }
}
