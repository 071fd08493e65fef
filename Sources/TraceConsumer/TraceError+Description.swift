import Glibc

extension TraceError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notInstalled(let engine, let remedy): "\(engine) is not installed: \(remedy)"
    case .notPermitted(let words): words
    case .noTracefs:
      "tracefs is not mounted, so there are no tracepoints: "
        + "mount -t tracefs tracefs /sys/kernel/tracing"
    case .noDebugfs:
      "debugfs is not mounted, in which libdtrace looks for probes: "
        + "mount -t debugfs debugfs /sys/kernel/debug"
    case .unknownOption(let option, let known):
      "unknown option \(option); there are \(known.joined(separator: ", "))"
    case .badValue(let option, let value, let wanted):
      "option \(option) needs \(wanted), not \(value.isEmpty ? "nothing" : value)"
    case .program(let message, let line?, let column?):
      "line \(line), column \(column): \(message)"
    case .program(let message, let line?, nil): "line \(line): \(message)"
    case .program(let message, _, _): message
    case .neverAttached(let seconds):
      "the probes were not in place after \(seconds) s; option attach_timeout"
    case .cannotAttach(let words): "cannot attach: \(words)"
    case .engineEnded(let status, let words):
      "the engine \(status)\(words.isEmpty ? "" : ": \(words)")"
    case .noAnswer(let seconds): "the engine did not answer within \(seconds) s"
    case .stillDetaching(let seconds):
      "the engine still takes its probes away after \(seconds) s, and ends by itself; "
        + "option stop_timeout"
    case .outOfOrder(let words): words
    case .failed(let call, let words): "\(call): \(words)"
    case .system(let call, let errno): "\(call): \(String(cString: strerror(errno)))"
    }
  }
}
