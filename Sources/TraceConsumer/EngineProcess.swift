import CTrace
import Foundation
import Synchronization

/// An engine that is a program of its own.
///
/// A thread starts it, reads what it writes and takes its status. The kernel ends the program with
/// that thread, so it cannot outlive this process, however that one ends.
final class EngineProcess: Sendable {
  enum Stream { case output, errors }

  let id: pid_t
  /// Whether its id is still its own: after waitpid(2) it may be another process's.
  private let isUnreaped: Mutex<Bool>

  private init(id: pid_t, isUnreaped: consuming Mutex<Bool>) {
    self.id = id
    self.isUnreaped = isUnreaped
  }

  /// Starts it; `onLine` and `onEnd` are called on its thread, `onEnd` once and last.
  static func start(
    _ command: [String], environment: [String: String],
    onLine: @escaping @Sendable (Stream, [UInt8]) -> Void,
    onEnd: @escaping @Sendable (EngineStatus) -> Void
  ) throws(TraceError) -> EngineProcess {
    let started = Mutex<Result<EngineProcess, TraceError>?>(nil)
    let isStarted = DispatchSemaphore(value: 0)
    let outcome = StartOutcome(started)
    Thread.detachNewThread {
      switch spawn(command, environment) {
      case .failure(let error):
        outcome.result.withLock { $0 = .failure(error) }
        isStarted.signal()
      case .success(let spawned):
        outcome.result.withLock { $0 = .success(spawned.process) }
        isStarted.signal()
        read([(.output, spawned.output), (.errors, spawned.errors)], onLine)
        onEnd(spawned.process.reap())
      }
    }
    isStarted.wait()
    guard let result = outcome.result.withLock({ $0 }) else {
      preconditionFailure("the thread has signalled before it has a result")
    }
    return try result.get()
  }

  func send(_ signal: Int32) {
    isUnreaped.withLock { if $0 { _ = kill(id, signal) } }
  }

  /// Sends SIGTERM until it has ended: bpftrace forgets a signal that comes while it prints.
  ///
  /// Not SIGINT, the second of which ends bpftrace before its END; SIGTERM may be repeated.
  func terminate() {
    Thread.detachNewThread { [self] in
      while isUnreaped.withLock({ $0 }) {
        send(SIGTERM)
        usleep(250_000)
      }
    }
  }

  private func reap() -> EngineStatus {
    // Not under the lock: detaching can take long, and others want to send signals meanwhile.
    var information = siginfo_t()
    while waitid(P_PID, id_t(id), &information, WEXITED | WNOWAIT) < 0, errno == EINTR {}
    return isUnreaped.withLock { isUnreaped in
      var status: Int32 = 0
      while waitpid(id, &status, 0) < 0, errno == EINTR {}
      isUnreaped = false
      let signal = status & 0x7F
      return signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal)
    }
  }

  private struct Spawned {
    let process: EngineProcess
    let output: Int32
    let errors: Int32
  }

  private static func spawn(
    _ command: [String], _ environment: [String: String]
  ) -> Result<Spawned, TraceError> {
    var pipes: [[Int32]] = []
    for _ in 0..<2 {
      var ends: [Int32] = [0, 0]
      let number = ctrace_pipe(&ends)
      guard number == 0 else {
        for end in pipes.joined() { close(end) }
        return .failure(.system(call: "pipe", errno: number))
      }
      pipes.append(ends)
    }
    let arguments = command.map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in arguments + variables { free(text) } }
    var child: pid_t = 0
    let error = ctrace_spawn(command[0], arguments, variables, pipes[0][1], pipes[1][1], &child)
    for ends in pipes { close(ends[1]) }
    guard error == 0 else {
      for ends in pipes { close(ends[0]) }
      return .failure(.system(call: "start \(command[0])", errno: error))
    }
    let process = EngineProcess(id: child, isUnreaped: Mutex(true))
    return .success(Spawned(process: process, output: pipes[0][0], errors: pipes[1][0]))
  }

  /// Reads until both ends are closed.
  private static func read(
    _ streams: [(Stream, Int32)], _ onLine: (Stream, [UInt8]) -> Void
  ) {
    var open = streams.map { (stream: $0, descriptor: $1, lines: LineSplitter()) }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while !open.isEmpty {
      var polled = open.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
      if poll(&polled, nfds_t(polled.count), -1) < 0 { continue }
      for index in open.indices.reversed() where polled[index].revents != 0 {
        let stream = open[index].stream
        let count = Foundation.read(open[index].descriptor, &buffer, buffer.count)
        if count > 0 {
          open[index].lines.add(buffer[..<count]) { onLine(stream, $0) }
        } else if count == 0 || errno != EINTR {
          open[index].lines.finish { onLine(stream, $0) }
          close(open[index].descriptor)
          open.remove(at: index)
        }
      }
    }
  }
}

/// Hands the result of the start from one thread to the other.
private final class StartOutcome: Sendable {
  let result: Mutex<Result<EngineProcess, TraceError>?>

  init(_ result: consuming Mutex<Result<EngineProcess, TraceError>?>) { self.result = result }
}

/// Cuts a stream of bytes into lines.
struct LineSplitter {
  private var rest: [UInt8] = []

  mutating func add(_ bytes: ArraySlice<UInt8>, _ body: ([UInt8]) -> Void) {
    var start = bytes.startIndex
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      body(rest + bytes[start..<end])
      rest.removeAll()
      start = end + 1
    }
    rest += bytes[start...]
  }

  /// The last line may be without its end.
  mutating func finish(_ body: ([UInt8]) -> Void) {
    if !rest.isEmpty { body(rest) }
    rest = []
  }
}
