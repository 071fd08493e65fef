import CLinux
import Daemon
import Linux
import Records

enum Source: UInt32 { case timer }

func run() -> Int32 {
  let program = Program.cyclicSysinfo
  var options = Options(program.name)
  let interval = options.interval(
    "interval", default: .seconds(1), atLeast: Interval(nanoseconds: 1_000_000),
    atMost: .seconds(86_400), "time between samples: 100ms, 1s, 5min")
  let output = OutputOptions(&options)
  let log = Log(program.name, verbose: output.verbose)
  if let answer = options.answer("Samples sysinfo(2): load, memory, uptime, process count.") {
    return answer.tell(log)
  }

  do throws(SystemError) {
    var sender = try RecordSender(program, output)
    if let notice = sender.notice { log.warning(notice) }
    if output.once {
      _ = try sender.send(SystemInformation.sample())
      return 0
    }
    var loop = try ServiceLoop<Source>()
    let timer = try Timer.every(interval.nanoseconds)
    try loop.events.add(timer.descriptor.raw, .timer)
    try sender.announce(.running)
    loop.notifier.ready("one sample every \(interval.description)")
    while try loop.next() != nil {
      timer.expirations()
      let outcome = try sender.send(SystemInformation.sample())
      if let warning = outcome.warning { log.warning(warning) }
      log.detail("one sample taken")
    }
    try sender.announce(.stopped)
    return 0
  } catch {
    log.error(error.description)
    return 1
  }
}

reportCrashes()
exit(run())
