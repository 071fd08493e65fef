import CTrace
import Glibc

/// The functions of libdtrace.so.2, which is opened when it is first needed and never closed.
struct LibDTrace: Sendable {
  let open: ctrace_dtrace_open
  let initialize: ctrace_dtrace_init
  let close: ctrace_dtrace_close
  let errorNumber: ctrace_dtrace_errno
  let message: ctrace_dtrace_errmsg
  let setOption: ctrace_dtrace_setopt
  let handleErrors: ctrace_dtrace_handle_err
  let handleDrops: ctrace_dtrace_handle_drop
  let compile: ctrace_dtrace_program_fcompile
  let enable: ctrace_dtrace_program_exec
  let go: ctrace_dtrace_go
  let stop: ctrace_dtrace_stop
  let work: ctrace_dtrace_work
  let snapshot: ctrace_dtrace_aggregate_snap
  let walk: ctrace_dtrace_aggregate_walk
  let symbol: ctrace_dtrace_addr2str
  let userSymbol: ctrace_dtrace_uaddr2str
  /// Such as `D 2.0.7`.
  let version: String

  static func loaded() throws(TraceError) -> LibDTrace { try attempt.get() }

  private static let attempt = Result { () throws(TraceError) in try LibDTrace() }
  static let file = "libdtrace.so.2"

  private init() throws(TraceError) {
    guard let library = dlopen(Self.file, RTLD_NOW | RTLD_LOCAL) else {
      throw Self.isMissing(String(cString: dlerror()))
    }
    func function<Function>(_ name: String) throws(TraceError) -> Function {
      guard let symbol = dlsym(library, name) else {
        throw Self.isMissing("it has no \(name)")
      }
      return unsafeBitCast(symbol, to: Function.self)
    }
    open = try function("dtrace_open")
    initialize = try function("dtrace_init")
    close = try function("dtrace_close")
    errorNumber = try function("dtrace_errno")
    message = try function("dtrace_errmsg")
    setOption = try function("dtrace_setopt")
    handleErrors = try function("dtrace_handle_err")
    handleDrops = try function("dtrace_handle_drop")
    compile = try function("dtrace_program_fcompile")
    enable = try function("dtrace_program_exec")
    go = try function("dtrace_go")
    stop = try function("dtrace_stop")
    work = try function("dtrace_work")
    snapshot = try function("dtrace_aggregate_snap")
    walk = try function("dtrace_aggregate_walk")
    symbol = try function("dtrace_addr2str")
    userSymbol = try function("dtrace_uaddr2str")
    guard let text = dlsym(library, "_dtrace_version") else {
      throw Self.isMissing("it has no _dtrace_version")
    }
    version = String(cString: text.load(as: UnsafePointer<CChar>.self))
  }

  private static func isMissing(_ reason: String) -> TraceError {
    .notInstalled(
      engine: "libdtrace 2",
      remedy: "apt-get install libdtrace2, which Debian has from 14 (forky) on: \(reason)")
  }
}
