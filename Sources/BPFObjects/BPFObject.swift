import CBPF
import CLinux

/// What libbpf or the kernel refused.
public struct BPFError: Error, Sendable {
  public let call: StaticString
  public let errno: Int32
  /// libbpf's own words, if it had any.
  public let words: [UInt8]

  static func last(_ call: StaticString) -> BPFError {
    let errno = clinux_errno()
    var words: [UInt8] = []
    var next = cbpf_take_warnings()
    while let byte = next?.pointee, byte != 0 {
      words.append(UInt8(bitPattern: byte))
      next = next?.advanced(by: 1)
    }
    return BPFError(call: call, errno: errno, words: words)
  }
}

/// Precompiled BPF programs and their maps, in the kernel.
public struct BPFObject: ~Copyable {
  private let object: OpaquePointer
  private var links: [OpaquePointer] = []

  /// Reads a file and gives its programs to the kernel; nothing is attached.
  public init(path: [UInt8]) throws(BPFError) {
    cbpf_keep_warnings()
    _ = cbpf_take_warnings()
    let opened = (path + [0]).withUnsafeBytes { path in
      bpf_object__open_file(path.baseAddress?.assumingMemoryBound(to: CChar.self), nil)
    }
    guard let opened else { throw .last("open") }
    guard bpf_object__load(opened) == 0 else {
      let error = BPFError.last("load")
      bpf_object__close(opened)
      throw error
    }
    object = opened
  }

  deinit {
    for link in links { bpf_link__destroy(link) }
    bpf_object__close(object)
  }

  /// Puts all programs in place, or none.
  public mutating func attach() throws(BPFError) {
    var program = bpf_object__next_program(object, nil)
    while let found = program {
      guard let link = bpf_program__attach(found) else {
        let error = BPFError.last("attach")
        detach()
        throw error
      }
      links.append(link)
      program = bpf_object__next_program(object, found)
    }
  }

  /// Takes the programs away; the maps stay.
  public mutating func detach() {
    for link in links { bpf_link__destroy(link) }
    links = []
  }

  /// Nil if there is none of this name.
  public func map(named name: [UInt8]) -> BPFMap? {
    let map = (name + [0]).withUnsafeBytes { name in
      bpf_object__find_map_by_name(object, name.baseAddress?.assumingMemoryBound(to: CChar.self))
    }
    return map.map { BPFMap($0) }
  }
}

/// A map of a loaded object; usable as long as that is there.
public struct BPFMap: Sendable {
  public let descriptor: Int32
  public let keyBytes: Int
  public let valueBytes: Int
  public let isRingBuffer: Bool
  /// How many keys there can be, in a map where they come and go; nil where all are always there.
  public let capacity: Int?
  /// A value for each CPU, or one.
  private let copies: Int

  init(_ map: OpaquePointer) {
    descriptor = bpf_map__fd(map)
    keyBytes = Int(bpf_map__key_size(map))
    valueBytes = Int(bpf_map__value_size(map))
    let type = bpf_map__type(map)
    isRingBuffer = type == BPF_MAP_TYPE_RINGBUF
    let isPerCPU = type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY
    let isHash = type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_PERCPU_HASH
    capacity = isHash ? Int(bpf_map__max_entries(map)) : nil
    copies = isPerCPU ? max(1, Int(libbpf_num_possible_cpus())) : 1
  }

  /// Gives each key and its value, numbers of 64 bits that are summed over the CPUs.
  public func forEach<Failure: Error>(
    _ body: ([UInt8], [UInt64]) throws(Failure) -> Void
  ) throws(Failure) {
    let words = (valueBytes + 7) / 8
    var key = [UInt8](repeating: 0, count: max(keyBytes, 1))
    var next = key
    var value = [UInt64](repeating: 0, count: words * copies)
    var sums = [UInt64](repeating: 0, count: words)
    var result = bpf_map_get_next_key(descriptor, nil, &next)
    while result == 0 {
      swap(&key, &next)
      // Between the two calls it may have been removed.
      if bpf_map_lookup_elem(descriptor, &key, &value) == 0 {
        sum(value, into: &sums)
        try body(key, sums)
      }
      result = bpf_map_get_next_key(descriptor, &key, &next)
    }
  }

  /// Removes a key and gives the value that it had, summed over the CPUs; nil if it is not there.
  ///
  /// Errors: `EINVAL` or 524, ENOTSUPP, where the kernel cannot do both at once: before Linux 5.14.
  public func take(_ key: [UInt8]) throws(BPFError) -> [UInt64]? {
    let words = (valueBytes + 7) / 8
    var value = [UInt64](repeating: 0, count: words * copies)
    guard bpf_map_lookup_and_delete_elem(descriptor, key, &value) == 0 else {
      guard clinux_errno() == ENOENT else { throw .last("take") }
      return nil
    }
    var sums = [UInt64](repeating: 0, count: words)
    sum(value, into: &sums)
    return sums
  }

  private func sum(_ value: [UInt64], into sums: inout [UInt64]) {
    for index in sums.indices {
      var sum: UInt64 = 0
      for copy in 0..<copies { sum &+= value[copy * sums.count + index] }
      sums[index] = sum
    }
  }
}
