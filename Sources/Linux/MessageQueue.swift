import CLinux

/// A POSIX message queue, mq_overview(7), never blocking; closed when its owner goes.
public struct MessageQueue: ~Copyable, Sendable {
  public enum Access: Sendable { case sending, receiving }

  public let raw: mqd_t
  /// The longest message that it takes.
  public let messageSize: Int
  /// How many messages it holds.
  public let depth: Int

  /// Opens the queue, or makes one of `depth` messages of `messageSize` bytes, for this user alone.
  ///
  /// Where fs.mqueue.msg_max does not allow the depth, the new queue has what it allows: compare
  /// ``depth``. Errors: those of mq_open(3); EMSGSIZE if a queue that was there takes only shorter
  /// messages.
  public static func open(
    _ name: Text, _ access: Access, depth: Int, messageSize: Int, procfs: Text = "/proc"
  ) throws(SystemError) -> MessageQueue {
    let flags = O_NONBLOCK | O_CLOEXEC | (access == .sending ? O_WRONLY : O_RDONLY)
    var raw = clinux_mq_open(name.c, flags, 0, nil)
    if raw < 0 && clinux_errno() == ENOENT {
      raw = create(name, flags, depth: depth, messageSize: messageSize)
      if raw < 0 && clinux_errno() == EINVAL, let limit = depthLimit(procfs), limit < depth {
        raw = create(name, flags, depth: limit, messageSize: messageSize)
      }
    }
    let queue = try MessageQueue(owning: try check(raw, "mq_open", name), name)
    if queue.messageSize < messageSize { throw SystemError("mq_open", errno: EMSGSIZE, name) }
    return queue
  }

  /// Takes over a queue that is open already, as systemd hands it over, and makes it non-blocking.
  ///
  /// Anybody may make a queue of any name: one that is neither root's nor this user's, or into which
  /// everybody may write, is refused. Errors: EPERM for that; those of mq_setattr(3).
  public init(owning raw: mqd_t, _ name: Text) throws(SystemError) {
    var status = stat()
    guard fstat(raw, &status) == 0 else {
      let errno = clinux_errno()
      _ = mq_close(raw)
      throw SystemError("fstat", errno: errno, name)
    }
    let isOurs = status.st_uid == 0 || status.st_uid == geteuid()
    guard isOurs, status.st_mode & 0o002 == 0 else {
      _ = mq_close(raw)
      let reason: Text =
        isOurs ? "into which everybody may write" : "of user \(status.st_uid), not ours"
      throw SystemError("mq_open", errno: EPERM, "\(name), a queue \(reason); remove it")
    }
    var attributes = mq_attr()
    attributes.mq_flags = numericCast(O_NONBLOCK)
    var found = mq_attr()
    guard mq_setattr(raw, &attributes, nil) == 0, mq_getattr(raw, &found) == 0 else {
      let errno = clinux_errno()
      _ = mq_close(raw)
      throw SystemError("mq_setattr", errno: errno, name)
    }
    self.raw = raw
    messageSize = Int(found.mq_msgsize)
    depth = Int(found.mq_maxmsg)
  }

  deinit { _ = mq_close(raw) }

  private static func create(
    _ name: Text, _ flags: Int32, depth: Int, messageSize: Int
  ) -> mqd_t {
    var attributes = mq_attr()
    attributes.mq_maxmsg = numericCast(depth)
    attributes.mq_msgsize = numericCast(messageSize)
    return clinux_mq_open(name.c, flags | O_CREAT, 0o600, &attributes)
  }

  /// /proc/sys/fs/mqueue/msg_max: one decimal number.
  private static func depthLimit(_ procfs: Text) -> Int? {
    guard let bytes = try? readFile(procfs + "/sys/fs/mqueue/msg_max", limit: 64) else {
      return nil
    }
    return bytes.reduce(0) { number, byte in
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        ? number * 10 + Int(byte - UInt8(ascii: "0")) : number
    }
  }

  /// Sends a message; false if the queue is full. Errors: those of mq_send(3).
  public borrowing func send(_ bytes: [UInt8]) throws(SystemError) -> Bool {
    if clinux_mq_send(raw, bytes, bytes.count) == 0 { return true }
    let errno = clinux_errno()
    if errno == EAGAIN { return false }
    throw SystemError("mq_send", errno: errno)
  }

  /// Waits until the queue is not full; false if it still was after this time. poll(2).
  public borrowing func waitForRoom(milliseconds: Int32) -> Bool {
    var descriptor = pollfd(fd: raw, events: Int16(POLLOUT), revents: 0)
    return poll(&descriptor, 1, milliseconds) == 1
  }

  /// The length of the next message, now at the beginning of `bytes`, or nil if there is none.
  ///
  /// Errors: those of mq_receive(3); EMSGSIZE if there are fewer bytes than ``messageSize``.
  public borrowing func receive(into bytes: inout MutableRawSpan) throws(SystemError) -> Int? {
    let raw = raw
    let count = bytes.withUnsafeMutableBytes { clinux_mq_receive(raw, $0.baseAddress, $0.count) }
    if count >= 0 { return Int(count) }
    let errno = clinux_errno()
    if errno == EAGAIN || errno == EINTR { return nil }
    throw SystemError("mq_receive", errno: errno)
  }

  /// Keeps other readers out that ask for the same, as long as the queue is open: flock(2).
  ///
  /// Errors: EWOULDBLOCK if another one has it.
  public borrowing func lock(_ name: Text) throws(SystemError) {
    guard flock(raw, LOCK_EX | LOCK_NB) == 0 else { throw SystemError("flock", name) }
  }

  /// The length of the next message, now in `buffer`, or nil if there is none.
  ///
  /// Errors: those of mq_receive(3); EMSGSIZE if the buffer is shorter than ``messageSize``.
  public borrowing func receive(into buffer: inout [UInt8]) throws(SystemError) -> Int? {
    let count = clinux_mq_receive(raw, &buffer, buffer.count)
    if count >= 0 { return Int(count) }
    let errno = clinux_errno()
    if errno == EAGAIN || errno == EINTR { return nil }
    throw SystemError("mq_receive", errno: errno)
  }

  /// Removes the queue; its messages go with the last one who has it open. False: there was none.
  public static func remove(_ name: Text) throws(SystemError) -> Bool {
    if mq_unlink(name.c) == 0 { return true }
    if clinux_errno() == ENOENT { return false }
    throw SystemError("mq_unlink", name)
  }
}
