/// `fuzz-parsers PARSER [OPTION OF LIBFUZZER | CORPUS]…`: what fuzz.sh runs.

/// What libFuzzer calls again and again with bytes of its choice.
typealias Parser = @convention(c) (UnsafePointer<UInt8>, Int) -> CInt

/// Runs until an option says that it is enough; what `parser` cannot bear ends the program.
/// compiler-rt/lib/fuzzer/FuzzerInterface.h
@_silgen_name("LLVMFuzzerRunDriver")
func runFuzzer(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ parser: Parser
) -> CInt

let parsers: [(name: String, parser: Parser)] = [
  ("accounting", { accounting(array($0, $1)) }),
  ("configuration", { configuration(array($0, $1)) }),
  ("coredump", { coreDumps(array($0, $1)) }),
  ("dbus-message", { busMessage(array($0, $1)) }),
  ("dlt-connection", { connection(array($0, $1)) }),
  ("dlt-trace", { trace(array($0, $1)) }),
  ("inotify", { inotifyEvents(array($0, $1)) }),
  ("options", { options(array($0, $1)) }),
  ("outbox", { outboxFile(array($0, $1)) }),
  ("pressure", { pressure(array($0, $1)) }),
  ("proc-files", { procFiles(array($0, $1)) }),
  ("record", { record(array($0, $1)) }),
  ("spill", { spillSegment(array($0, $1)) }),
]

private func array(_ start: UnsafePointer<UInt8>, _ count: Int) -> [UInt8] {
  Array(UnsafeBufferPointer(start: start, count: count))
}

let names = parsers.map(\.name).joined(separator: ", ")
guard CommandLine.argc > 1,
  let chosen = parsers.first(where: { $0.name == CommandLine.arguments[1] })
else { fatalError("the first argument is one of \(names)") }

// libFuzzer sees the rest; its own name, which it runs again to make a finding smaller, stays.
var count = CommandLine.argc - 1
var arguments = CommandLine.unsafeArgv
arguments[1] = arguments[0]
arguments += 1
_ = runFuzzer(&count, &arguments, chosen.parser)
