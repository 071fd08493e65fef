/// Streams that are each in order, read as one in order.
struct OrderedMerge<Element> {
  private struct Stream {
    let next: () throws -> Element?
    var head: Element
    var key: Int64
    /// Of two with the same key the earlier stream's comes first.
    let number: Int
  }

  private let key: (Element) -> Int64
  /// A binary heap: no stream's key is above that of those below it.
  private var heap: [Stream] = []

  /// `key` grows within each stream.
  init(_ streams: [() throws -> Element?], key: @escaping (Element) -> Int64) throws {
    self.key = key
    for (number, next) in streams.enumerated() {
      guard let head = try next() else { continue }
      heap.append(Stream(next: next, head: head, key: key(head), number: number))
    }
    for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(index) }
  }

  mutating func next() throws -> Element? {
    guard let first = heap.first else { return nil }
    if let head = try first.next() {
      heap[0].head = head
      heap[0].key = key(head)
    } else {
      heap.swapAt(0, heap.count - 1)
      heap.removeLast()
    }
    sink(0)
    return first.head
  }

  private func precedes(_ left: Int, _ right: Int) -> Bool {
    (heap[left].key, heap[left].number) < (heap[right].key, heap[right].number)
  }

  private mutating func sink(_ start: Int) {
    var index = start
    while true {
      var least = index
      for child in [2 * index + 1, 2 * index + 2] where child < heap.count {
        if precedes(child, least) { least = child }
      }
      if least == index { return }
      heap.swapAt(index, least)
      index = least
    }
  }
}
