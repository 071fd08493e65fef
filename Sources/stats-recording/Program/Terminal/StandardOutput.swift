import Foundation

/// Standard output as a stream of lines for other programs and for people.
enum StandardOutput {
  /// Writes a line to its end, also into a pipe: nothing stays behind in a buffer.
  static func put(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    var start = 0
    while start < bytes.count {
      let count = bytes.withUnsafeBytes {
        write(STDOUT_FILENO, $0.baseAddress?.advanced(by: start), bytes.count - start)
      }
      if count > 0 {
        start += count
      } else if errno == EAGAIN {
        var polled = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        poll(&polled, 1, 1000)
      } else if errno != EINTR {
        // As SIGPIPE would, which a thread may have blocked; a full disk is told.
        if errno == EPIPE { endByPipe() }
        complain("standard output: \(String(cString: strerror(errno)))")
        exit(1)
      }
    }
  }

  /// From now on this process ends quietly, as SIGPIPE ends it, when the reader of a pipe goes away,
  /// and that at once: not only at the next line, which may be long in coming.
  static func endWithReader() {
    signal(SIGPIPE, SIG_DFL)
    var status = stat()
    guard fstat(STDOUT_FILENO, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else { return }
    Thread.detachNewThread {
      var polled = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
      while poll(&polled, 1, -1) < 0 && errno == EINTR {}
      endByPipe()
    }
  }

  private static func endByPipe() -> Never {
    signal(SIGPIPE, SIG_DFL)
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    raise(SIGPIPE)
    exit(128 + SIGPIPE)
  }
}
