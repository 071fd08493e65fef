import Foundation

/// Runs D programs with libdtrace, in this process and only while somebody consumes: it has no thread.
final class DEngine: TraceEngine, @unchecked Sendable {
  private enum Phase {
    case isNew, isCompiled, isRunning
    /// The program has ended itself.
    case isDone
    case isStopped
  }

  /// Guards everything below; not held for longer than libdtrace takes to look at its buffers, but by
  /// the calls that are expected to take time.
  private let lock = NSLock()
  private var session: DSession?
  /// Whether there may be something in the kernel.
  private var hasProbes = false
  private var phase = Phase.isNew
  private var records = TracedRecords()
  private var snapshots = DSnapshots()
  /// What went wrong while nobody asked.
  private var failure: TraceError?

  func version() throws(TraceError) -> String {
    try "libdtrace " + LibDTrace.loaded().version.trimmingPrefix("D ")
  }

  func setOption(_ name: String, _ value: String) throws(TraceError) {
    lock.lock()
    defer { lock.unlock() }
    guard phase == .isNew else { throw .outOfOrder("options are set before compile") }
    try open()
    guard !DOptions.reserved.contains(name) else {
      throw .unknownOption(name, known: DOptions.known)
    }
    guard let words = session?.setOption(name, value) else { return }
    if words == DOptions.unknownName { throw .unknownOption(name, known: DOptions.known) }
    throw .badValue(option: name, value: value, wanted: "a value that libdtrace takes")
  }

  /// With the lock.
  private func open() throws(TraceError) {
    guard session == nil else { return }
    let library = try LibDTrace.loaded()
    try DTurn.begin()
    do throws(TraceError) {
      let opened = try DSession(library)
      for (name, value) in DOptions.defaults {
        if let words = opened.setOption(name, value) {
          throw TraceError.failed(call: "dtrace_setopt \(name)", words: words)
        }
      }
      session = consume opened
    } catch {
      DTurn.giveBack()
      throw error
    }
  }

  func compile(_ program: String) throws(TraceError) {
    lock.lock()
    defer { lock.unlock() }
    guard phase == .isNew else {
      throw .outOfOrder("one consumer runs one program; make another")
    }
    try open()
    defer { if phase == .isNew { close() } }
    if let words = try session?.compile(program) {
      let diagnostics = DDiagnostics(words)
      if diagnostics.isAboutProbes { try checkCircumstances(diagnostics.message) }
      throw .program(message: diagnostics.message, line: diagnostics.line, column: nil)
    }
    phase = .isCompiled
  }

  func go() throws(TraceError) {
    lock.lock()
    defer { lock.unlock() }
    switch phase {
    case .isNew: throw .outOfOrder("compile a program before go")
    case .isCompiled: break
    default: throw .outOfOrder("go was called before")
    }
    if let words = session?.go() {
      defer { close() }
      let message = DDiagnostics(words).message
      try checkCircumstances(message)
      hasProbes = true
      throw .cannotAttach(message)
    }
    hasProbes = true
    phase = .isRunning
  }

  /// Throws if there is a better reason than libdtrace's.
  private func checkCircumstances(_ words: String) throws(TraceError) {
    guard geteuid() == 0 else { throw .notPermitted("needs root: \(words)") }
    guard FileManager.default.fileExists(atPath: "/sys/kernel/debug/tracing/events") else {
      throw .noDebugfs
    }
  }

  func waitForRecords(until deadline: ContinuousClock.Instant) {
    while true {
      lock.lock()
      work()
      let isOver = phase != .isRunning || !records.isEmpty || failure != nil
      lock.unlock()
      guard !isOver, .now < deadline else { return }
      // Others want the lock too.
      usleep(5000)
    }
  }

  /// With the lock.
  private func work() {
    guard phase == .isRunning || phase == .isDone, session != nil else { return }
    do {
      if try session?.work() == .isDone { phase = .isDone }
    } catch {
      failure = error
      phase = .isDone
    }
    session?.takeRecords(into: &records)
  }

  func takeRecords() throws(TraceError) -> [TracedRecord] {
    lock.lock()
    defer { lock.unlock() }
    work()
    let taken = records.take()
    if taken.isEmpty, let failure {
      self.failure = nil
      throw failure
    }
    return taken
  }

  var isOver: Bool {
    lock.lock()
    defer { lock.unlock() }
    return phase == .isDone || phase == .isStopped ? records.isEmpty && failure == nil : false
  }

  func takeAggregates() throws(TraceError) -> [TraceAggregate] {
    lock.lock()
    defer { lock.unlock() }
    guard phase != .isNew, phase != .isCompiled else {
      throw .outOfOrder("nothing runs; go comes first")
    }
    try takeSnapshot()
    return snapshots.difference()
  }

  /// With the lock.
  private func takeSnapshot() throws(TraceError) {
    guard let snapshot = try session?.snapshot() else { return }
    snapshots.take(snapshot)
    session?.takeRecords(into: &records)
  }

  func clearAggregates() throws(TraceError) { _ = try takeAggregates() }

  func stop() throws(TraceError) {
    lock.lock()
    defer { lock.unlock() }
    guard phase != .isNew, phase != .isCompiled else {
      throw .outOfOrder("nothing runs; go comes first")
    }
    guard phase != .isStopped else { return }
    try session?.stop()
    work()
    try takeSnapshot()
    close()
  }

  /// With the lock.
  private func close() {
    phase = .isStopped
    guard let session = session.take() else { return }
    if hasProbes {
      _ = consume session
    } else {
      DTurn.giveBack(session)
    }
  }

  /// Takes the probes away before it returns: the kernel would keep some of them when the process ends.
  func abandon() {
    lock.lock()
    defer { lock.unlock() }
    close()
  }
}
