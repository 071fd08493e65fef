import CLinux
import Daemon
import Linux
import Records

enum Source: UInt32 { case bus, timer }

func run() -> Int32 {
  let program = Program.dbusSystemdSignals
  var options = Options(program.name)
  let all = options.flag("all", "tell every state of every unit, every job, units loaded")
  let globs = options.texts("unit", "GLOB", "only units of this name, as `ssh*`; may be repeated")
  let address = options.text(
    "address", "ADDRESS",
    default: environment("DBUS_SYSTEM_BUS_ADDRESS") ?? "unix:path=/run/dbus/system_bus_socket",
    "the bus that systemd is on")
  let output = OutputOptions(&options)
  let log = Log(program.name, verbose: output.verbose)
  if let answer = options.answer("Tells which units of systemd fail, restart and finish.") {
    return answer.tell(log)
  }

  do throws(SystemError) {
    let sender = try RecordSender(program, output)
    if let notice = sender.notice { log.warning(notice) }
    var signals = SystemdSignals(
      WatchOptions(
        address: address, filter: UnitFilter(all: all, globs: globs),
        once: output.once),
      sender, log)
    var loop = try ServiceLoop<Source>()
    let timer = try Timer()
    try loop.events.add(timer.descriptor.raw, .timer)
    signals.connect()
    var isReady = false
    while true {
      switch try signals.process() {
      case .goingOn: break
      case .finished: return 0
      case .unavailable(let reason):
        log.error(reason)
        try signals.sender.announce(.unavailable, reason)
        return EX_UNAVAILABLE
      }
      if signals.hasStarted && !isReady {
        isReady = true
        try signals.sender.announce(.running)
        loop.notifier.ready("listening to systemd")
      }
      try signals.bus?.updateWaiting(in: loop.events, as: .bus)
      try timer.set(after: delay(until: signals.nextDeadline))
      guard let event = try loop.next() else { break }
      switch event.source {
      case .bus: signals.bus?.handle(event.readiness)
      case .timer: timer.expirations()
      }
    }
    if signals.malformed > 0 {
      log.warning("\(signals.malformed) signals of a signature not known were left out")
    }
    try signals.sender.announce(.stopped)
    return 0
  } catch {
    log.error(error.description)
    return 1
  }
}

/// In nanoseconds from now; 0 stops the timer.
func delay(until deadline: UInt64?) -> UInt64 {
  guard let deadline else { return 0 }
  let now = monotonicNanoseconds()
  return deadline > now ? deadline - now : 1
}

reportCrashes()
exit(run())
