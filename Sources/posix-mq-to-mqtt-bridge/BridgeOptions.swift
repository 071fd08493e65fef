import Daemon
import Linux
import Records

/// Everything that the bridge can be told.
struct BridgeOptions {
  let output: OutputOptions
  let broker: BrokerOptions
  let topics: Topics
  let outboxBytes: Int
  /// nil: in memory alone.
  let outboxPath: Text?
  /// nil: nothing goes to disk.
  let spillFolder: Text?
  let spillBytes: UInt64
  let spillAfter: Interval
  /// How many messages may be on their way at once; more than 100 gains nothing.
  let window: Int
  let payload: PayloadFormat
  /// How many records of a program are one message at most.
  let batch: Int
  /// How long a record waits for others of its program.
  let batchTime: Interval
  let messageExpiry: Interval
  let statusInterval: Interval
  let reconnectMaximum: Interval
  let connectTimeout: Interval
  let removesQueues: Bool

  init(_ options: inout Options) {
    broker = BrokerOptions(&options)
    topics = Topics(&options)
    let mebibytes = options.number(
      "outbox-size", default: 4, in: 1...1024, "memory for records that wait, in MiB")
    outboxBytes = mebibytes << 20
    outboxPath =
      options.text(
        "outbox", "FILE",
        "keep them in this file, in a file system in memory [$RUNTIME_DIRECTORY/outbox]")
      ?? folder(inEnvironment: "RUNTIME_DIRECTORY").map { "\($0)/outbox" }
    spillFolder =
      options.text(
        "spill-folder", "DIR",
        "what waits too long, or when the bridge stops, goes here [$STATE_DIRECTORY/spill]")
      ?? folder(inEnvironment: "STATE_DIRECTORY").map { "\($0)/spill" }
    spillBytes =
      UInt64(
        options.number("spill-size", default: 64, in: 1...65536, "room for it on disk, in MiB"))
      << 20
    spillAfter = options.interval(
      "spill-after", default: .seconds(300), atLeast: .seconds(1), atMost: .seconds(86_400),
      "time without the broker after which records go to disk, and between such times")
    window = options.number(
      "window", default: 100, in: 1...65535, "messages on their way at once, if the broker agrees")
    let format = options.text(
      "payload", "FORMAT", default: "json",
      "what records are published as: json; influx, line protocol; record, their own bytes")
    if format == "influx" {
      payload = .lineProtocol
    } else if format == "record" {
      payload = .record
    } else {
      payload = .json
      if format != "json" { options.fail("--payload \(format): json, influx or record") }
    }
    batch = options.number(
      "batch", default: 1, in: 1...1000, "publish so many records of a program in one message")
    batchTime = options.interval(
      "batch-time", default: Interval(nanoseconds: 100_000_000),
      atLeast: Interval(nanoseconds: 1_000_000), atMost: .seconds(3600),
      "a record waits so long at most for others to go with it")
    messageExpiry = options.interval(
      "message-expiry", default: .seconds(86_400), atLeast: .seconds(1),
      atMost: .seconds(4_294_967_295), "a message that nobody fetched expires after this time")
    statusInterval = options.interval(
      "status-interval", default: .seconds(60), atLeast: .seconds(1), atMost: .seconds(86_400),
      "publish the status this often, and when something is lost")
    reconnectMaximum = options.interval(
      "reconnect-max", default: .seconds(30), atLeast: .seconds(1), atMost: .seconds(86_400),
      "longest time between attempts to connect")
    connectTimeout = options.interval(
      "connect-timeout", default: .seconds(20), atLeast: .seconds(1), atMost: .seconds(600),
      "give an attempt up after this time")
    output = OutputOptions(&options)
    removesQueues = options.flag("remove-queues", "remove the queues and exit")
  }
}
