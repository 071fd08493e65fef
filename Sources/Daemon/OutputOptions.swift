import Linux

/// Where the records of a program go; the same options in all programs.
public struct OutputOptions: Sendable {
  /// The queue of a program is this and the program's name.
  public let queuePrefix: Text
  /// Print one record and exit.
  public let once: Bool
  /// Print instead of sending.
  public let prints: Bool
  public let verbose: Bool

  public init(_ options: inout Options) {
    once = options.flag("once", "print one record as JSON and exit")
    let print = options.flag("print", "print records as JSON instead of sending them")
    verbose = options.flag("verbose", "log each record too")
    prints = once || print
    queuePrefix = options.text(
      "queue-prefix", "TEXT", default: Self.defaultPrefix, "what the names of the queues begin with"
    )
    // mq_overview(7): a slash, then up to 254 bytes without one; leave room for a program's name.
    let name = queuePrefix.bytes
    if name.first != UInt8(ascii: "/") || name.dropFirst().contains(UInt8(ascii: "/"))
      || name.count > 200
    {
      options.fail(
        "--queue-prefix \(queuePrefix): a slash, then up to 199 bytes without one")
    }
  }

  static let defaultPrefix: Text = "/stats-recording."
}
