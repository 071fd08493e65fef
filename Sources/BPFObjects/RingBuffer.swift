import CBPF
import CLinux

/// Records that BPF programs leave in ring buffers.
public final class RingBuffer {
  private var ring: OpaquePointer?
  /// What each record goes to; libbpf holds pointers to these.
  private var sources: [Source] = []
  private let inbox = Inbox()

  private final class Inbox {
    var waiting: [(source: Int, bytes: [UInt8])] = []
    var limit = Int.max
  }

  private final class Source {
    let inbox: Inbox
    let index: Int

    init(_ inbox: Inbox, _ index: Int) {
      self.inbox = inbox
      self.index = index
    }
  }

  public init(_ maps: [BPFMap]) throws(BPFError) {
    for (index, map) in maps.enumerated() {
      let source = Source(inbox, index)
      sources.append(source)
      let context = Unmanaged.passUnretained(source).toOpaque()
      if let ring {
        guard ring_buffer__add(ring, map.descriptor, Self.receive, context) == 0 else {
          throw .last("ring buffer")
        }
      } else {
        ring = ring_buffer__new(map.descriptor, Self.receive, context, nil)
        guard ring != nil else { throw .last("ring buffer") }
      }
    }
  }

  deinit { ring_buffer__free(ring) }

  private static let receive: ring_buffer_sample_fn = { context, data, size in
    guard let context, let data else { return 0 }
    let source = Unmanaged<Source>.fromOpaque(context).takeUnretainedValue()
    let bytes = UnsafeRawBufferPointer(start: data, count: Int(size))
    source.inbox.waiting.append((source.index, Array(bytes)))
    // This one is taken all the same, and those behind it stay where they are.
    return source.inbox.waiting.count < source.inbox.limit ? 0 : -1
  }

  /// Readable when there are records.
  public var descriptor: Int32 { ring.map { ring_buffer__epoll_fd($0) } ?? -1 }

  /// The records there are, so many at most: the number of the map in the list given, and the bytes.
  public func take(atMost limit: Int = .max) -> [(source: Int, bytes: [UInt8])] {
    inbox.limit = limit
    if let ring { _ = ring_buffer__consume(ring) }
    defer { inbox.waiting = [] }
    return inbox.waiting
  }
}
