import CLinux
import Daemon
import Linux
import Records

func run() -> Int32 {
  let program = Program.inotifyCoredump
  var options = Options(program.name)
  let output = OutputOptions(&options)
  let coredump = CoredumpOptions(&options, output)
  let log = Log(program.name, verbose: output.verbose)
  if let answer = options.answer("Tells which program crashed, as systemd-coredump stores it.") {
    return answer.tell(log)
  }

  do throws(SystemError) {
    let collector = try Collector(coredump, try RecordSender(program, output), log)
    if output.once { return try tellOnce(collector, log) }
    var loop = try ServiceLoop<Source>()
    let timer = try Timer()
    try loop.events.add(timer.descriptor.raw, .timer)
    try loop.events.add(collector.folder.descriptor, .folder)
    if let queue = collector.queueDescriptor { try loop.events.add(queue, .queue, []) }

    var watch = Watch()
    try watch.look(collector, log)
    loop.notifier.ready(watch.status)
    while true {
      try collector.advance()
      try watch.arm(collector, &loop, timer)
      guard let (source, _) = try loop.next() else { break }
      switch source {
      case .folder: try collector.takeFolderEvents()
      case .journal: try collector.takeJournal()
      case .timer: timer.expirations()
      case .queue: break
      }
      if try watch.look(collector, log) { loop.notifier.status(watch.status) }
    }
    try collector.finish()
    try collector.announce(.stopped)
    return 0
  } catch {
    log.error(error.description)
    return 1
  }
}

/// Tells of the latest dump that there is; EX_UNAVAILABLE if there is none and none can come.
func tellOnce(_ collector: Collector, _ log: Log) throws(SystemError) -> Int32 {
  if try collector.tellLatest() { return 0 }
  if let obstacle = collector.obstacle() {
    log.error(obstacle)
    return EX_UNAVAILABLE
  }
  log.information("there is no core dump yet")
  return 0
}

reportCrashes()
exit(run())
