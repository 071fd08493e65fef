import Foundation

/// Runs programs with bpftrace(8), which compiles and attaches them and prints JSON.
final class BpftraceEngine: TraceEngine, @unchecked Sendable {
  /// Guards everything below, and tells of every change.
  private let condition = NSCondition()
  private var options = BpftraceOptions()
  private var program: BpftraceProgram?
  private var process: EngineProcess?
  private var isReady = false
  private var status: EngineStatus?
  private var wasStopped = false
  private var isDeathTold = false
  private var log: [String] = []
  private var records = TracedRecords()
  private var snapshots = BpftraceSnapshots()

  /// What a killed engine leaves behind is bounded.
  private static let logLines = 100

  func version() throws(TraceError) -> String {
    let run = try Self.runToEnd([try Self.path(), "--version"], environment: [:], within: 10)
    return run.output.first ?? ""
  }

  func setOption(_ name: String, _ value: String) throws(TraceError) {
    condition.lock()
    defer { condition.unlock() }
    guard process == nil else { throw .outOfOrder("options are set before go") }
    try options.set(name, value)
  }

  /// A dry run: reads the program as the real one would, and attaches nothing.
  func compile(_ text: String) throws(TraceError) {
    condition.lock()
    let options = options
    let hasBegun = process != nil
    condition.unlock()
    guard !hasBegun else { throw .outOfOrder("one consumer runs one program; make another") }
    let tagged = BpftraceProgram(text)
    if let refusal = try Self.tryOut(tagged, options) {
      // Perhaps its stack has no room for what each printf has in front.
      let untagged = BpftraceProgram(text, tagged: false)
      guard try Self.tryOut(untagged, options) == nil else { throw refusal }
      accept(untagged)
    } else {
      accept(tagged)
    }
  }

  private func accept(_ program: BpftraceProgram) {
    condition.lock()
    defer { condition.unlock() }
    self.program = program
  }

  private static func tryOut(
    _ program: BpftraceProgram, _ options: BpftraceOptions
  ) throws(TraceError) -> TraceError? {
    let source = String(decoding: program.source, as: UTF8.self)
    let run = try runToEnd(
      [try path()] + options.arguments + ["-d", "-e", source], environment: options.environment,
      within: options.attachSeconds)
    let diagnostics = BpftraceDiagnostics(run.log)
    guard run.status != .exited(0) || diagnostics.lines.contains(where: { $0.contains("ERROR:") })
    else { return nil }
    return diagnostics.refusal(program)
  }

  func go() throws(TraceError) {
    condition.lock()
    defer { condition.unlock() }
    guard let program else { throw .outOfOrder("compile a program before go") }
    guard process == nil else { throw .outOfOrder("go was called before") }
    let command =
      [try Self.path(), "-f", "json"] + (options.checksHelpers ? ["-k"] : []) + options.arguments
      + ["-e", String(decoding: program.source, as: UTF8.self)]
    let limit = options.attachSeconds
    let deadline = Date(timeIntervalSinceNow: limit)
    // The thread waits for the lock with its first line.
    process = try EngineProcess.start(
      command, environment: Self.environment(options.environment),
      onLine: { [weak self] stream, line in self?.take(stream, line) },
      onEnd: { [weak self] status in self?.end(status) })
    while !isReady, status == nil {
      guard condition.wait(until: deadline) else {
        process?.send(SIGKILL)
        isDeathTold = true
        throw .neverAttached(seconds: limit)
      }
    }
    if !isReady { throw refusal(program) }
  }

  /// Why it ended before its probes were in place.
  private func refusal(_ program: BpftraceProgram) -> TraceError {
    isDeathTold = true
    guard case .exited = status else {
      return .engineEnded(status: status ?? .exited(0), words: BpftraceDiagnostics(log).words)
    }
    let refusal = BpftraceDiagnostics(log).refusal(program)
    if case .program(let message, nil, nil) = refusal { return .cannotAttach(message) }
    return refusal
  }

  private func take(_ stream: EngineProcess.Stream, _ line: [UInt8]) {
    condition.lock()
    defer {
      condition.broadcast()
      condition.unlock()
    }
    switch stream {
    case .errors:
      let words = String(decoding: line, as: UTF8.self)
      if words.contains("__BPFTRACE_NOTIFY_PROBES_ATTACHED") { isReady = true }
      if log.count < Self.logLines { log.append(words) }
    case .output:
      guard let program else { return }
      take(BpftraceMessage(line, of: program), program)
    }
  }

  private func take(_ message: BpftraceMessage, _ program: BpftraceProgram) {
    switch message {
    case .nothing: break
    case .printed(let probe, let text): records.add(probe, [.printed(text), .end])
    case .values(let values): records.add(BpftraceMessage.engine, [.values(values), .end])
    case .lostEvents(let count):
      records.add(BpftraceMessage.engine, [.lost(TraceLoss(.buffer, count: count))])
    case .helperError(_, -7, let line, let column), .helperError(_, -12, let line, let column):
      let column = program.userColumn(line: line, column: column)
      records.addUp(BpftraceMessage.engine, .fullMap(line: line, column: column))
    // Such as the deletion of a key that is not there.
    case .helperError: break
    case .words(let words): if log.count < Self.logLines { log.append(words) }
    case .map(let name, let entries, let ambiguous):
      if ambiguous > 0 {
        records.add(
          BpftraceMessage.engine,
          [.lost(TraceLoss(.ambiguousKeys(map: name), count: ambiguous))])
      }
      guard snapshots.take(name, entries, of: program) == .isPrinted,
        let map = program.maps[name]
      else { return }
      let printed = entries.map {
        TraceRecord.aggregate(
          TraceAggregate(id: map.id, key: $0.key, value: $0.value.asWritten(map.function)))
      }
      records.add(BpftraceMessage.engine, printed + [.end])
    }
  }

  private func end(_ status: EngineStatus) {
    condition.lock()
    self.status = status
    condition.broadcast()
    condition.unlock()
  }

  func waitForRecords(until deadline: ContinuousClock.Instant) {
    condition.lock()
    defer { condition.unlock() }
    while records.isEmpty, status == nil {
      let left = ContinuousClock.now.duration(to: deadline)
      guard left > .zero, condition.wait(until: Date(timeIntervalSinceNow: left / .seconds(1)))
      else { return }
    }
  }

  func takeRecords() throws(TraceError) -> [TracedRecord] {
    condition.lock()
    defer { condition.unlock() }
    let taken = records.take()
    if taken.isEmpty, let death, !isDeathTold {
      isDeathTold = true
      throw death
    }
    return taken
  }

  /// What it died of, unless it ended as it should.
  private var death: TraceError? {
    guard let status, status != .exited(0) else { return nil }
    return .engineEnded(status: status, words: BpftraceDiagnostics(log).words)
  }

  var isOver: Bool {
    condition.lock()
    defer { condition.unlock() }
    return status != nil && records.isEmpty
  }

  func takeAggregates() throws(TraceError) -> [TraceAggregate] {
    condition.lock()
    defer { condition.unlock() }
    guard let program, let process else { throw .outOfOrder("nothing runs; go comes first") }
    let limit = 10.0
    let deadline = Date(timeIntervalSinceNow: limit)
    let before = snapshots.count
    if status == nil, !wasStopped { process.send(SIGUSR1) }
    while status == nil, snapshots.count == before {
      guard condition.wait(until: deadline) else { throw .noAnswer(seconds: limit) }
    }
    // A killed engine cannot print its maps: what was not taken is gone, and that is an error.
    if snapshots.count == before, let death, !isDeathTold {
      isDeathTold = true
      throw death
    }
    return snapshots.difference(of: program)
  }

  func clearAggregates() throws(TraceError) { _ = try takeAggregates() }

  func stop() throws(TraceError) {
    condition.lock()
    defer { condition.unlock() }
    guard let process else { throw .outOfOrder("nothing runs; go comes first") }
    let limit = options.stopSeconds
    let deadline = Date(timeIntervalSinceNow: limit)
    if !wasStopped { process.terminate() }
    wasStopped = true
    while status == nil {
      guard condition.wait(until: deadline) else { throw .stillDetaching(seconds: limit) }
    }
  }

  /// Of bpftrace, once it runs.
  var processID: pid_t? {
    condition.lock()
    defer { condition.unlock() }
    return process?.id
  }

  func abandon() {
    condition.lock()
    defer { condition.unlock() }
    process?.send(SIGKILL)
  }
}
