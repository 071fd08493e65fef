import CLinux
import Daemon
import Linux
import Records

func run() -> Int32 {
  let program = Program.inotifyPacct
  var options = Options(program.name)
  let pacct = PacctOptions(&options)
  let output = OutputOptions(&options)
  let log = Log(program.name, verbose: output.verbose)
  if let answer = options.answer("Tells of every process that ended: process accounting, acct(5).")
  {
    return answer.tell(log)
  }

  do throws(SystemError) {
    var sender = try RecordSender(program, output)
    if let notice = sender.notice { log.warning(notice) }
    let source: AccountingSource
    switch try open(pacct, once: output.once, log) {
    case .there(let found): source = found
    case .missing(let reason):
      try sender.announce(.unavailable, reason)
      log.error(reason)
      return EX_UNAVAILABLE
    }
    // From here on the end of the source turns own accounting off.
    defer { withExtendedLifetime(source) {} }
    if output.once { return try tellOne(source, pacct, &sender, log) }

    let recorder = Recorder(sender, log, pacct, name: source.name)
    if !pacct.assumesOn, let file = source.backlog.last {
      let probe = try Probe(file)
      recorder.leaveOut(process: probe.process, parent: UInt32(getpid()))
      if let reason = try whyUnavailable(file, probe, pacct) {
        try recorder.announce(.unavailable, reason)
        log.error(reason)
        return EX_UNAVAILABLE
      }
    }
    try recorder.announce(.running)
    let loop = try AccountingLoop(source, recorder, pacct, log)
    try loop.run()
    return 0
  } catch {
    log.error(error.description)
    return 1
  }
}

reportCrashes()
exit(run())
