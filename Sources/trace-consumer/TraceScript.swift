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
  private var maps: [(map: Text, aggregations: [ScriptMap])] = []
  private var process: ScriptProcess
  private var isAttached = false
  private var isEnding = false
  /// It has ended and is not started again.
  private var isOver = false
  private var end: ScriptProcess.End?
  private var attachedAt: UInt64 = 0
  private var backoff = Backoff(maximum: .seconds(60))
  private var output = ScriptLines(limit: 1 << 20)
  private var errors = ScriptLines(limit: 1024)
  /// What bpftrace said last on its standard error.
  private var words: [Text] = []
  private var printed: [Text] = []
  private var buffer = [UInt8](repeating: 0, count: 16_384)
  private let alarm: Timer
  private var isAlarmWatched = false
  private var lastTermination: UInt64 = 0

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
    return script
  }

  /// bpftrace compiles on the machine, and hundreds of probes take seconds.
  private static let startNanoseconds: UInt64 = 30_000_000_000
  /// systemd waits for 90 s.
  static let endNanoseconds: UInt64 = 10_000_000_000
  private static let mostPrinted = 4096
  private static let mostWords = 20

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

  /// The maps of the script; of a script that starts again the same may be there.
  private func addMaps() {
    for map in source.maps where !maps.contains(where: { $0.map == map.name }) {
      let all = ScriptMap.all(of: map, start: monotonicNanoseconds())
      maps.append((map.name, all))
      for one in all { aggregations.append(one) }
    }
  }

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

  override func read(at time: UInt64) {
    // Before its probes are in place the signal would end it.
    if isAttached, !isEnding, end == nil { process.send(SIGUSR1) }
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
    isAttached = false
    words = []
    output = ScriptLines(limit: 1 << 20)
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
    let isError: (Text) -> Bool = { $0.contains("ERROR") }
    if let said = words.first(where: isError) ?? words.first { text += ": \(said)" }
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
    guard end == nil else { return !printed.isEmpty }
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
    let count = process.read(stream, into: &buffer)
    switch stream {
    case .errors:
      var lines = errors.add(buffer[..<(count ?? 0)])
      if count == nil, let last = errors.finish() { lines.append(last) }
      for line in lines { take(error: Text(line)) }
    case .output:
      let before = output.leftOut
      var lines = output.add(buffer[..<(count ?? 0)])
      if count == nil, let last = output.finish() { lines.append(last) }
      for line in lines { take(line) }
      if output.leftOut > before {
        if before == 0 {
          log.warning("\(path): a line of more than 1 MiB is left out: use fewer keys")
        }
        lost += output.leftOut - before
      }
    }
    if !process.isOpen { waitForEndLater() }
  }

  private func take(error line: Text) {
    if line.contains("__BPFTRACE_NOTIFY_PROBES_ATTACHED") {
      isAttached = true
      attachedAt = monotonicNanoseconds()
      obstacle = nil
      return
    }
    // The first is harmless, and of every start where memory is not accounted by RLIMIT_MEMLOCK.
    if line.contains("couldn't set RLIMIT_MEMLOCK") || line.contains("Addrspace is not set") {
      return
    }
    if words.count < Self.mostWords { words.append(line) }
  }

  private func take(_ line: [UInt8]) {
    switch ScriptMessage(parsing: line, source) {
    case .nothing: break
    case .words(let text): if words.count < Self.mostWords { words.append(text) }
    case .lost(let count): lost &+= count
    case .printed(let text):
      guard printed.count < Self.mostPrinted else {
        lost += 1
        return
      }
      printed.append(text.withoutLastNewline)
    case .map(let name, let entries):
      let now = monotonicNanoseconds()
      for map in maps where map.map == name {
        for aggregation in map.aggregations { aggregation.take(entries, at: now) }
      }
    }
  }
}

extension Text {
  fileprivate func contains(_ word: StaticString) -> Bool {
    for index in bytes.indices where Text(bytes[index...]).starts(with: word) { return true }
    return false
  }

  fileprivate var withoutLastNewline: Text {
    bytes.last == UInt8(ascii: "\n") ? Text(bytes.dropLast()) : self
  }
}
