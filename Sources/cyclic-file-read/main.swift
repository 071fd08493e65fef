import CLinux
import Daemon
import Linux
import Records

func run() -> Int32 {
  let program = Program.cyclicFileRead
  var options = Options(program.name)
  let settings = GroupOptions(&options)
  let output = OutputOptions(&options)
  let log = Log(program.name, verbose: output.verbose)
  if let answer = options.answer("Samples what /proc and /sys tell, in groups.") {
    return answer.tell(log)
  }

  do throws(SystemError) {
    var sender = try RecordSender(program, output)
    if let notice = sender.notice { log.warning(notice) }
    let groups = try Groups(settings, log)
    guard groups.isAnyPresent else {
      let reason = Text(
        """
        none of the files is there: look at --procfs \(settings.procfs) and --sysfs \
        \(settings.sysfs), or at which groups are switched off
        """)
      log.error(reason)
      try sender.announce(.unavailable, reason)
      return EX_UNAVAILABLE
    }
    if output.once {
      for name in GroupName.allCases { try groups.sample(name, &sender, log) }
      return 0
    }
    var loop = try ServiceLoop<GroupName>()
    try groups.start(loop.events)
    try sender.announce(.running)
    loop.notifier.ready(groups.description)
    while let (name, _) = try loop.next() {
      try groups.sample(name, &sender, log)
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
