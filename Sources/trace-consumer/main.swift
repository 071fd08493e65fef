import CLinux
import Daemon
import Linux
import Records

func run() -> Int32 {
  let program = Program.traceConsumer
  var options = Options(program.name)
  let trace = TraceOptions(&options)
  let output = OutputOptions(&options)
  let log = Log(program.name, verbose: output.verbose)
  if let answer = options.answer(
    "Runs BPF programs in the kernel and tells what they count and see.")
  {
    return answer.tell(log)
  }

  do throws(SystemError) {
    var sender = try RecordSender(program, output)
    if let notice = sender.notice { log.warning(notice) }
    if let obstacle = kernelObstacle() {
      log.error(obstacle)
      try sender.announce(.unavailable, obstacle)
      return EX_UNAVAILABLE
    }
    var loop = try ServiceLoop<TraceSource>()
    let tracing = Tracing(trace, sender, log)
    guard tracing.runsAny else {
      try tracing.announce(.unavailable)
      return EX_UNAVAILABLE
    }
    let timer = try Timer()
    try timer.set(after: trace.interval.nanoseconds, every: trace.interval.nanoseconds)
    try loop.events.add(timer.descriptor.raw, .timer)
    try tracing.start(loop.events)
    try tracing.announce(.running)
    loop.notifier.ready(tracing.status)
    while let (source, _) = try loop.next() {
      if source == .timer {
        if output.once { break }
        timer.expirations()
        tracing.read()
      }
      try tracing.take(source, loop.events)
      try tracing.tell(loop.events)
    }
    if try tracing.finish() == 0 && output.once {
      log.information("nothing came within \(trace.interval.description)")
    }
    try tracing.announce(.stopped)
    return 0
  } catch {
    log.error(error.description)
    return 1
  }
}

/// The programs know where a 64-bit kernel puts what they read.
func kernelObstacle() -> Text? {
  var names = utsname()
  guard uname(&names) == 0 else { return nil }
  let machine = withUnsafeBytes(of: &names.machine) { bytes in
    Text([UInt8](bytes.prefix { $0 != 0 }))
  }
  // What a kernel of 64 bits says of itself to a program of 32 begins with armv8.
  guard machine.starts(with: "armv"), !machine.starts(with: "armv8") else { return nil }
  return "this kernel is of 32 bits, \(machine): the programs are for kernels of 64 bits"
}

reportCrashes()
exit(run())
