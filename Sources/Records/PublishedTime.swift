/// The two clocks read at one moment, and whether the wall clock is right.
public struct ClockReading: Equatable, Sendable {
  public var bootTimeNanoseconds: UInt64
  public var realTimeNanoseconds: Int64
  /// The kernel says that NTP or another source has set the clock: adjtimex(2) without STA_UNSYNC.
  public var synchronized: Bool

  public init(bootTimeNanoseconds: UInt64, realTimeNanoseconds: Int64, synchronized: Bool) {
    self.bootTimeNanoseconds = bootTimeNanoseconds
    self.realTimeNanoseconds = realTimeNanoseconds
    self.synchronized = synchronized
  }

  /// What the wall clock is ahead of the time since boot.
  public var offsetNanoseconds: Int64 {
    realTimeNanoseconds &- Int64(truncatingIfNeeded: bootTimeNanoseconds)
  }

  /// The Unix time in nanoseconds at which the record was taken, as this clock tells it now.
  ///
  /// A Raspberry Pi has no clock of its own: it starts in the past and NTP steps it later. The time
  /// since boot is right all along, so a record taken before the step gets the time that the clock
  /// would have shown, had it been right. Without a step the record keeps its own reading: the same
  /// record has the same time however often it is published.
  public func time(of header: RecordHeader) -> Int64 {
    let corrected = Int64(truncatingIfNeeded: header.bootTimeNanoseconds) &+ offsetNanoseconds
    let difference = corrected.subtractingReportingOverflow(header.realTimeNanoseconds)
    if !difference.overflow && difference.partialValue.magnitude < Self.stepNanoseconds {
      return header.realTimeNanoseconds
    }
    return corrected
  }

  /// Less than this is the time between reading two clocks on a busy machine, not a step.
  static let stepNanoseconds: UInt64 = 100_000_000
}
