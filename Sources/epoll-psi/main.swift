import CLinux
import Daemon
import Linux
import Records

/// sysexits.h: what is needed is not there, and starting again will not change that.
let unavailable: Int32 = 69

func run() -> Int32 {
  let program = Program.epollPsi
  var options = Options(program.name)
  let settings = Settings(&options)
  let output = OutputOptions(&options)
  let log = Log(program.name, verbose: output.verbose)
  if let answer = options.answer(
    "Tells when tasks begin to wait for CPU, memory or I/O, and when that is over.")
  {
    return answer.tell(log)
  }

  do throws(SystemError) {
    var sender = try RecordSender(program, output)
    if let notice = sender.notice { log.warning(notice) }
    if output.once {
      guard let reason = try sendPresentState(settings, &sender, log) else { return 0 }
      log.error(reason)
      return unavailable
    }
    // Every trigger of every cgroup has a descriptor.
    if !settings.cgroups.isEmpty { allowMoreDescriptors() }
    var loop = try ServiceLoop<Source>()
    var monitor = try Monitor(settings, log)
    if let reason = try monitor.begin(loop, &sender) {
      log.error(reason)
      try sender.announce(.unavailable, reason)
      return unavailable
    }
    try sender.announce(.running)
    let status = monitor.status
    loop.notifier.ready(status)
    log.information(status)
    while let (source, readiness) = try loop.next() {
      try monitor.handle(source, readiness, loop, &sender)
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
