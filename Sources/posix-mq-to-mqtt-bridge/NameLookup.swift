import CLinux
import Linux

/// Finds out on a thread whether a host name has an address: getaddrinfo(3) may take half a minute where
/// the network is away, and meanwhile nobody would read the queues.
///
/// libmosquitto looks the name up again when it connects, for it checks certificates by it; then the answer
/// is near. The thread ends with its answer, however late that comes.
struct NameLookup: ~Copyable {
  /// An eventfd(2): 1 for no address, 2 for one.
  private let answer: FileDescriptor

  /// What the thread gets; C strings and numbers alone.
  private struct Question {
    let host: UnsafeMutablePointer<CChar>
    let answer: Int32
  }

  /// Not for an address in numbers.
  static func isNeeded(_ host: Text) -> Bool {
    var address = in6_addr()
    return inet_pton(AF_INET, host.c, &address) != 1 && inet_pton(AF_INET6, host.c, &address) != 1
  }

  /// Errors: those of eventfd(2) and pthread_create(3).
  init(_ host: Text) throws(SystemError) {
    let raw = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    guard raw >= 0 else { throw SystemError("eventfd") }
    let answer = FileDescriptor(owning: raw)
    let question = UnsafeMutablePointer<Question>.allocate(capacity: 1)
    question.initialize(to: Question(host: strdup(host.c), answer: raw))
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 256 << 10)
    var thread = pthread_t()
    let error = pthread_create(&thread, &attributes, { Self.ask($0) }, question)
    pthread_attr_destroy(&attributes)
    guard error == 0 else {
      free(question.pointee.host)
      question.deallocate()
      throw SystemError("pthread_create", errno: error)
    }
    self.answer = answer
  }

  /// Ready for reading when the answer is there.
  var descriptor: Int32 { answer.raw }

  /// nil: there is no answer yet.
  var isFound: Bool? {
    var value: UInt64 = 0
    return read(answer.raw, &value, 8) == 8 ? value == 2 : nil
  }

  private static func ask(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let question = argument?.assumingMemoryBound(to: Question.self) else { return nil }
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var addresses: UnsafeMutablePointer<addrinfo>?
    var value: UInt64 = getaddrinfo(question.pointee.host, nil, &hints, &addresses) == 0 ? 2 : 1
    if let addresses { freeaddrinfo(addresses) }
    _ = write(question.pointee.answer, &value, 8)
    free(question.pointee.host)
    question.deallocate()
    return nil
  }
}
