import CLinux
import Daemon
import Linux
import Records

/// A bpftrace script: bpftrace(8) runs it, and prints its maps when it is asked to.
///
/// Maps are never emptied: what came between printing and emptying would be lost. Nobody reads what is
/// printed while the queue is full, so bpftrace waits, and tells what it lost meanwhile.
final class TraceScript: TraceProgram {
  private let path: Text
  private let log: Log
  private var source: ScriptSource
  private var maps: [(map: ScriptSource.Map, aggregations: [ScriptMap])] = []
  private var process: ScriptProcess
  private var diagnostics = ScriptDiagnostics()
  private var isEnding = false
  /// It has ended and is not started again.
  private var isOver = false
  private var end: ScriptProcess.End?
  private var attachedAt: UInt64 = 0
  private var backoff = Backoff(maximum: .seconds(60))
  private var printed: [Text] = []
  /// Of which ``lost`` has what is told.
  private var losses: UInt64 = 0
  private let alarm: Timer
  private var isAlarmWatched = false
  private var lastTermination: UInt64 = 0
  /// It was asked for its maps and has not answered yet; an empty one is no answer.
  private var mayAskAgainAt: UInt64 = 0

  /// Starts the script at this path, and returns when its probes are in place.
  static func start(_ path: Text, _ log: Log) throws(ProgramRefusal) -> TraceScript {
    let source = try source(path)
    let alarm: Timer
    do throws(SystemError) {
      alarm = try Timer()
    } catch {
      throw ProgramRefusal(error.description)
    }
    let script = TraceScript(path, source, try process(path), alarm, log)
    let deadline = monotonicNanoseconds() + startNanoseconds
    while !script.isAttached, script.end == nil {
      guard monotonicNanoseconds() < deadline else {
        throw ProgramRefusal("\(path): its probes are not in place after 30 s: take fewer")
      }
      script.process.wait(milliseconds: script.process.isOpen ? 100 : 0)
      script.readAll()
      if !script.process.isOpen { script.waitForEnd() }
    }
    // A script may end by itself at once.
    if let end = script.end, end != .exited(0) || !script.isAttached {
      throw ProgramRefusal(script.death(end))
    }
    script.isOver = script.end != nil
    return script
  }

  /// bpftrace compiles on the machine, and hundreds of probes take seconds.
  private static let startNanoseconds: UInt64 = 30_000_000_000
  /// systemd waits for 90 s.
  static let endNanoseconds: UInt64 = 10_000_000_000
  private static let mostPrinted = 4096

  private init(
    _ path: Text, _ source: ScriptSource, _ process: ScriptProcess, _ alarm: consuming Timer,
    _ log: Log
  ) {
    self.path = path
    self.source = source
    self.process = process
    self.alarm = alarm
    self.log = log
    super.init(path.lastPathComponent.without(suffix: ".bt"))
    addMaps()
  }

  private static func source(_ path: Text) throws(ProgramRefusal) -> ScriptSource {
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try readFile(path)
    } catch {
      throw ProgramRefusal(error.description)
    }
    do throws(ScriptSource.Refusal) {
      return try ScriptSource(parsing: bytes)
    } catch {
      throw ProgramRefusal("\(path):\(error.line): \(error.reason)")
    }
  }

  private static func process(_ path: Text) throws(ProgramRefusal) -> ScriptProcess {
    guard let bpftrace = ScriptProcess.path() else {
      throw ProgramRefusal("\(path): bpftrace is not installed: apt-get install bpftrace")
    }
    do throws(SystemError) {
      return try ScriptProcess.start(bpftrace, script: path)
    } catch {
      throw ProgramRefusal(error.description)
    }
  }

  /// The maps of the script; when it starts again they are there, unless it was changed.
  private func addMaps() {
    for map in source.maps where !maps.contains(where: { $0.map == map }) {
      let all = ScriptMap.all(of: map, start: monotonicNanoseconds())
      maps.append((map, all))
      for one in all { aggregations.append(one) }
    }
  }

  private var isAttached: Bool { diagnostics.isAttached }

  // MARK: While it runs

  override var descriptor: Int32? { process.descriptor(.output) }

  override func watch(
    _ events: borrowing EventLoop<TraceSource>, _ index: Int, _ readiness: Readiness
  ) throws(SystemError) {
    try super.watch(events, index, readiness)
    if let errors = process.descriptor(.errors) {
      try events.add(errors, .program(index, .errors))
    }
    if !isAlarmWatched { try events.add(alarm.descriptor.raw, .program(index, .alarm)) }
    isAlarmWatched = true
    if !process.isOpen { waitForEndLater() }
  }

  override func take(_ stream: TraceSource.Stream) -> Bool {
    switch stream {
    // While the queue is full nothing is waited for but its end: what is left in the pipe is bounded.
    case .records: read(.output)
    case .errors: read(.errors)
    case .alarm:
      alarm.expirations()
      return wake()
    }
    return false
  }

  override func read(at time: UInt64, queueIsFull: Bool) {
    lost = losses
    // Before its probes are in place the signal would end it. bpftrace prints, and ends, after a wait of
    // 100 ms that no signal interrupts: signals that come faster would keep it from both.
    guard isAttached, !isEnding, !queueIsFull, end == nil, !maps.isEmpty, time >= mayAskAgainAt
    else { return }
    process.send(SIGUSR1)
    mayAskAgainAt = time + 250_000_000
  }

  override func takeEvents() {
    if process.isReadable(.output) { read(.output) }
    for text in printed {
      var event = TracedEvent()
      event.program = FixedText(name)
      event.record = FixedText("printf" as StaticString)
      event.fields = FixedText(text)
      events.append(event)
    }
    printed.removeAll()
  }

  /// True if it was started again, or why it does not run has changed.
  private func wake() -> Bool {
    if end == nil {
      end = process.reap()
      guard let end else {
        waitForEndLater()
        return false
      }
      return hasEnded(end)
    }
    return !isOver && startAgain()
  }

  private func hasEnded(_ end: ScriptProcess.End) -> Bool {
    if end == .exited(0), isAttached {
      log.information("\(path): the script has ended")
      isOver = true
      return false
    }
    // What ran for long did not fail at its start.
    if isAttached, monotonicNanoseconds() - attachedAt > 60_000_000_000 { backoff.succeeded() }
    fail(death(end))
    return true
  }

  private func fail(_ why: Text) {
    let delay = backoff.next()
    log.error("\(why); it is started again in \(delay / 1_000_000) ms")
    obstacle = why
    setAlarm(delay)
  }

  private func startAgain() -> Bool {
    do throws(ProgramRefusal) {
      source = try Self.source(path)
      process = try Self.process(path)
    } catch {
      fail(error.description)
      return true
    }
    for map in maps {
      for aggregation in map.aggregations { aggregation.beginAnew() }
    }
    addMaps()
    end = nil
    diagnostics = ScriptDiagnostics()
    attachedAt = 0
    mayAskAgainAt = 0
    return true
  }

  private func setAlarm(_ delay: UInt64) {
    do throws(SystemError) {
      try alarm.set(after: delay)
    } catch {
      log.error(error.description)
    }
  }

  /// The kernel closes its pipes before it takes the probes out, which may take seconds.
  private func waitForEndLater() { if end == nil { setAlarm(20_000_000) } }

  // MARK: Its end

  /// `mine.bt: bpftrace exited with status 1: mine.bt:1:14-17: ERROR: Unknown function: foo`
  private func death(_ end: ScriptProcess.End) -> Text {
    var text: Text = "\(path): bpftrace \(end.words)"
    if let reason = diagnostics.reason { text += ": \(reason)" }
    return text
  }

  private func waitForEnd() {
    for _ in 0..<100 where end == nil {
      end = process.reap()
      if end == nil { usleep(20_000) }
    }
  }

  override func finish() {
    isEnding = true
    lost = losses
    terminate()
  }

  /// Not SIGINT, the second of which ends bpftrace before its END; SIGTERM does the same and may be
  /// repeated, which is needed: bpftrace forgets a signal that comes while it prints.
  private func terminate() {
    guard end == nil else { return }
    process.send(SIGTERM)
    lastTermination = monotonicNanoseconds()
  }

  override func waitForMore(until deadline: UInt64) -> Bool {
    guard end == nil else { return false }
    if monotonicNanoseconds() > deadline {
      log.warning("\(path): bpftrace has not ended after 10 s: what it would say last is not told")
      process.send(SIGKILL)
      end = .signal(SIGKILL)
      return true
    }
    if monotonicNanoseconds() - lastTermination > 250_000_000 { terminate() }
    if process.isOpen { process.wait(milliseconds: 50) } else { waitForEnd() }
    readAll()
    return true
  }

  // MARK: What it says

  private func readAll() {
    if process.isReadable(.errors) { read(.errors) }
    if process.isReadable(.output) { read(.output) }
  }

  private func read(_ stream: ScriptProcess.Stream) {
    let leftOut = process.linesLeftOut
    let lines = process.lines(stream)
    switch stream {
    case .output: for line in lines { take(line) }
    case .errors:
      for line in lines { diagnostics.add(Text(line)) }
      if isAttached, attachedAt == 0 {
        attachedAt = monotonicNanoseconds()
        obstacle = nil
      }
    }
    if process.linesLeftOut > leftOut {
      if leftOut == 0 {
        log.warning("\(path): a line of more than 4 MiB is left out: use fewer keys")
      }
      lose(process.linesLeftOut - leftOut)
    }
    if !process.isOpen { waitForEndLater() }
  }

  /// Told at the next interval: each key without room is a line of its own.
  private func lose(_ count: UInt64) {
    losses &+= count
    if isEnding { lost = losses }
  }

  private func take(_ line: [UInt8]) {
    switch ScriptMessage(parsing: line, source) {
    case .nothing: break
    case .words(let text): diagnostics.add(text)
    case .lost(let count): lose(count)
    case .printed(let text):
      guard printed.count < Self.mostPrinted else {
        lose(1)
        return
      }
      printed.append(text.withoutLastNewline)
    case .map(let name, let entries):
      let now = monotonicNanoseconds()
      mayAskAgainAt = 0
      // A map that was another kind before the script was changed is not this one.
      for map in maps where map.map.name == name && map.map.form == source[name] {
        for aggregation in map.aggregations { aggregation.take(entries, at: now) }
      }
    }
  }
}

extension Text {
  fileprivate var withoutLastNewline: Text {
    bytes.last == UInt8(ascii: "\n") ? Text(bytes.dropLast()) : self
  }
}
