import Foundation

/// The terminal as a screen of our own: no echo, keys as they are pressed, the alternate screen.
///
/// What was there before comes back at ``close()``, and also when a signal ends the process, a crash
/// included. One at a time, and used by one thread after another.
final class Terminal: @unchecked Sendable {
  enum Event: Equatable {
    case key(UInt8)
    case resized
    /// SIGINT, SIGTERM, SIGHUP or SIGQUIT.
    case signal(Int32)
    /// The terminal is gone.
    case gone
  }

  private let input: Int32
  private let signals: (reading: Int32, writing: Int32)

  private static let ending = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]
  private static let crashes = [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV]

  /// Errors: nil if standard output is no terminal.
  init?() {
    guard isatty(STDOUT_FILENO) == 1 else { return nil }
    input = isatty(STDIN_FILENO) == 1 ? STDIN_FILENO : STDOUT_FILENO
    var pipeEnds: [Int32] = [0, 0]
    guard pipe(&pipeEnds) == 0, tcgetattr(input, &savedSettings) == 0 else { return nil }
    for end in pipeEnds {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    signals = (pipeEnds[0], pipeEnds[1])
    signalPipe = pipeEnds[1]
    terminalInput = input
    enter()
    for number in Self.ending + [SIGWINCH, SIGTSTP] {
      Self.handle(number) { number in
        var byte = UInt8(truncatingIfNeeded: number)
        let before = errno
        _ = Foundation.write(signalPipe, &byte, 1)
        errno = before
      }
    }
    for number in Self.crashes {
      Self.handle(number, once: true) { number in
        restoreTerminal()
        raise(number)
      }
    }
  }

  /// Gives the terminal back as it was.
  func close() {
    restoreTerminal()
    for number in Self.ending + Self.crashes + [SIGWINCH, SIGTSTP] { signal(number, SIG_DFL) }
    Foundation.close(signals.reading)
    Foundation.close(signals.writing)
  }

  /// In columns and rows; 80 by 24 where the terminal does not say.
  var size: (width: Int, height: Int) {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
    else { return (80, 24) }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  func write(_ text: String) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if errno == EAGAIN {
        // Another program may have made the terminal non-blocking.
        var wait = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        if poll(&wait, 1, 1000) < 0 && errno != EINTR { return false }
      } else if errno != EINTR {
        return false
      }
    }
    return true
  }

  /// What happened until now, or as soon as something does, within the time.
  func events(within seconds: Double) -> [Event] {
    var polled = [
      pollfd(fd: input, events: Int16(POLLIN), revents: 0),
      pollfd(fd: signals.reading, events: Int16(POLLIN), revents: 0),
    ]
    guard poll(&polled, 2, Int32(max(0, seconds * 1000).rounded(.up))) > 0 else { return [] }
    var events: [Event] = []
    for number in read(signals.reading) ?? [] {
      switch Int32(number) {
      case SIGWINCH: events.append(.resized)
      case SIGTSTP:
        suspend()
        events.append(.resized)
      default: events.append(.signal(Int32(number)))
      }
    }
    if polled[0].revents != 0 {
      if let keys = read(input) {
        events += keys.map(Event.key)
      } else {
        events.append(.gone)
      }
    }
    return events
  }

  /// Errors: nil at the end of the file, or when it cannot be read.
  private func read(_ file: Int32) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = Foundation.read(file, &bytes, bytes.count)
    if count > 0 { return Array(bytes.prefix(count)) }
    return count < 0 && (errno == EAGAIN || errno == EINTR) ? [] : nil
  }

  private func enter() {
    var settings = savedSettings
    settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
    withUnsafeMutableBytes(of: &settings.c_cc) { characters in
      characters[Int(VMIN)] = 1
      characters[Int(VTIME)] = 0
    }
    tcsetattr(input, TCSANOW, &settings)
    terminalIsOurs = 1
    // The alternate screen, no cursor, no line wrap.
    _ = write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l\u{1B}[2J")
  }

  /// Stops as Ctrl-Z asks, with the terminal as it was, until somebody says SIGCONT.
  private func suspend() {
    restoreTerminal()
    signal(SIGTSTP, SIG_DFL)
    kill(getpid(), SIGTSTP)
    Self.handle(SIGTSTP) { number in
      var byte = UInt8(truncatingIfNeeded: number)
      _ = Foundation.write(signalPipe, &byte, 1)
    }
    enter()
  }

  private static func handle(
    _ number: Int32, once: Bool = false, _ body: @escaping @convention(c) (Int32) -> Void
  ) {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = body
    action.sa_flags = once ? Int32(bitPattern: UInt32(SA_RESETHAND)) : SA_RESTART
    sigaction(number, &action, nil)
  }
}

// What a signal handler may touch.
nonisolated(unsafe) private var savedSettings = termios()
nonisolated(unsafe) private var signalPipe: Int32 = -1
nonisolated(unsafe) private var terminalInput: Int32 = -1
nonisolated(unsafe) private var terminalIsOurs: sig_atomic_t = 0
/// Line wrap, the cursor, the screen that was there before.
private let restoringSequence: StaticString =
  "\u{1B}[0m\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l"

/// Only calls that signal-safety(7) allows.
private func restoreTerminal() {
  guard terminalIsOurs != 0 else { return }
  terminalIsOurs = 0
  _ = write(STDOUT_FILENO, restoringSequence.utf8Start, restoringSequence.utf8CodeUnitCount)
  tcsetattr(terminalInput, TCSANOW, &savedSettings)
}
