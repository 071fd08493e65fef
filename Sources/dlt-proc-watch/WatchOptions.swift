import Daemon
import Linux

/// The options of the program beside those that all programs have.
struct WatchOptions {
  let host: Text
  let port: Int
  let idle: Interval
  /// Replay this trace instead of connecting.
  let file: Text?
  /// 0: as fast as possible.
  let speed: Int
  let settings: WatchSettings

  init(_ options: inout Options) {
    host =
      options.text(
        "host", "HOST", default: "127.0.0.1", "where the dlt-daemon is: a name or an address")
    port = options.number("port", default: 3490, in: 1...65_535, "its TCP port")
    idle = options.interval(
      "idle", default: .seconds(60), atLeast: Interval(nanoseconds: 100_000_000),
      atMost: .seconds(86_400), "connect anew if no message came for so long")
    file = options.text("file", "FILE", "replay a trace with storage headers, then exit")
    speed = options.number(
      "speed", default: 1, in: 0...1_000_000,
      "how many times as fast as it was recorded; 0 is without waiting")

    var settings = WatchSettings()
    let ecu = options.text("ecu", "ID", "only messages of this ECU, up to 4 bytes [all]")
    if let ecu {
      settings.ecu = Identifier(name: ecu.bytes)
      if settings.ecu == nil { options.fail("--ecu \(ecu): not 1 to 4 bytes") }
    }
    let names = options.texts(
      "process", "NAME",
      "watch this one, by its comm or its first argument; may be repeated; * is all [*]")
    for name in names {
      let bytes = name.bytes
      if bytes == [UInt8(ascii: "*")] { continue }
      settings.names.append(bytes)
      if !(1...64).contains(bytes.count) {
        options.fail("--process \(name): not 1 to 64 bytes")
      }
    }
    if settings.names.count < names.count { settings.names = [] }
    settings.limit = options.number(
      "limit", default: 64, in: 1...4096, "how many processes are watched at once")
    settings.ticksPerSecond = UInt64(
      options.number(
        "clock-ticks", default: 100, in: 1...100_000, "getconf CLK_TCK of the machine that sends"))
    settings.pageSize = UInt64(
      options.number(
        "page-size", default: 4096, in: 1024...1_048_576,
        "getconf PAGESIZE of the machine that sends"))
    self.settings = settings
  }
}

enum Source: UInt32 { case socket, timer, limit, queue }
