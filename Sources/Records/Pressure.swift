// What the records of pressure have in common: the content of one pressure file.

/// What tasks wait for.
public enum PressureResource: UInt8, FieldName {
  case unknown = 0
  case cpu = 1
  case memory = 2
  case io = 3
  /// Time that interrupts take from tasks; Linux 6.1, with CONFIG_IRQ_TIME_ACCOUNTING.
  case irq = 4

  public static var known: [PressureResource] { [.cpu, .memory, .io, .irq] }

  /// As the kernel names the file.
  public var name: StaticString {
    switch self {
    case .unknown: "unknown"
    case .cpu: "cpu"
    case .memory: "memory"
    case .io: "io"
    case .irq: "irq"
    }
  }
}

/// How many tasks are held up.
public enum PressureScope: UInt8, FieldName {
  case unknown = 0
  /// At least one, while others may run.
  case some = 1
  /// All that are not idle: nothing gets done.
  case full = 2

  public var name: StaticString {
    switch self {
    case .unknown: "unknown"
    case .some: "some"
    case .full: "full"
    }
  }
}

/// The averages and totals that a pressure file shows; see Documentation/accounting/psi.rst.
///
/// 40 bytes in a body, all bits set where the kernel has no such line: `full` of the CPU before
/// Linux 5.13, `some` of interrupts.
///
/// | offset | type | field |
/// |---|---|---|
/// | 0, 4, 8 | u32 | some: averages over 10, 60, 300 s, in ten-thousandths |
/// | 12 | u64 | some: total in microseconds |
/// | 20, 24, 28 | u32 | full: averages over 10, 60, 300 s, in ten-thousandths |
/// | 32 | u64 | full: total in microseconds |
public struct Pressure: Equatable, Sendable {
  /// One line of the file.
  public struct Line: Equatable, Sendable {
    public var average10TenThousandths: UInt32?
    public var average60TenThousandths: UInt32?
    public var average300TenThousandths: UInt32?
    public var totalMicroseconds: UInt64?

    public init() {}
  }

  public var some = Line()
  public var full = Line()

  public init() {}

  /// The stall in microseconds since the machine or the cgroup started; nil: there is no such line.
  public func totalMicroseconds(_ scope: PressureScope) -> UInt64? {
    switch scope {
    case .some: some.totalMicroseconds
    case .full: full.totalMicroseconds
    case .unknown: nil
    }
  }

  mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.optional(
      Field(
        "some_avg10", .ratio, .gauge, decimals: 4,
        "Share of the last 10 s in which at least one task was held up"),
      &some.average10TenThousandths)
    visitor.optional(
      Field(
        "some_avg60", .ratio, .gauge, decimals: 4,
        "Share of the last 60 s in which at least one task was held up"),
      &some.average60TenThousandths)
    visitor.optional(
      Field(
        "some_avg300", .ratio, .gauge, decimals: 4,
        "Share of the last 300 s in which at least one task was held up"),
      &some.average300TenThousandths)
    visitor.optional(
      Field(
        "some_total_seconds", .seconds, .counter, decimals: 6,
        "Time in which at least one task was held up"),
      &some.totalMicroseconds)
    visitor.optional(
      Field(
        "full_avg10", .ratio, .gauge, decimals: 4,
        "Share of the last 10 s in which all tasks were held up"),
      &full.average10TenThousandths)
    visitor.optional(
      Field(
        "full_avg60", .ratio, .gauge, decimals: 4,
        "Share of the last 60 s in which all tasks were held up"),
      &full.average60TenThousandths)
    visitor.optional(
      Field(
        "full_avg300", .ratio, .gauge, decimals: 4,
        "Share of the last 300 s in which all tasks were held up"),
      &full.average300TenThousandths)
    visitor.optional(
      Field(
        "full_total_seconds", .seconds, .counter, decimals: 6,
        "Time in which all tasks were held up"),
      &full.totalMicroseconds)
  }
}

/// The path of a cgroup below the root of cgroup v2; empty for the whole system.
public typealias CgroupPath = FixedText<256>
