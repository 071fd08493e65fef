import CLinux
import Daemon
import Linux
import Records

func run() -> Int32 {
  let program = Program.dltProcWatch
  var options = Options(program.name)
  let watch = WatchOptions(&options)
  let output = OutputOptions(&options)
  let log = Log(program.name, verbose: output.verbose)
  if let answer = options.answer(
    "Watches CPU load and memory of processes that dlt-system tells a dlt-daemon.")
  {
    return answer.tell(log)
  }

  do throws(SystemError) {
    let sender = try RecordSender(program, output)
    if let notice = sender.notice { log.warning(notice) }
    if let path = watch.file {
      var replay = try Replay(watch, path, once: output.once, sender, log)
      return try replay.run()
    }
    var live = try LiveWatch(watch, once: output.once, sender, log)
    return try live.run()
  } catch {
    log.error(error.description)
    return 1
  }
}

reportCrashes()
exit(run())
