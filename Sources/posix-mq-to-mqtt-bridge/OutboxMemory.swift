import CLinux
import Linux

/// The memory of the outbox: a mapped file under /run, or memory alone.
///
/// A file outlives the bridge, at whatever instruction that was killed. Its layout is this program's
/// own, in pages of the machine that runs it; ``Head/currentVersion`` changes with it.
///
/// ```
/// 0           head: what it is, and what is counted across restarts
/// 1280        what each program last said of itself: 12 times a checksum and a record
/// 4096        inbox: the message that is being taken from a queue
/// + inbox     slots of 256 bytes: a Slot, then a part of a record
/// ```
///
/// A slot counts once its state says so, which is the last that is written of it and the first that
/// is taken back; the kernel keeps the rest in the order of the program.
struct OutboxMemory: ~Copyable {
  /// What stands at the beginning.
  struct Head {
    static let currentMagic: UInt64 = 0x3158_4254_554F_5253  // "SROUTBX1" in memory order
    static let currentVersion: UInt32 = 3

    var magic = Self.currentMagic
    var version = Self.currentVersion
    var slotCount: UInt32 = 0
    var inboxSize: UInt32 = 0
    /// Slots from here on were never used since the memory was empty.
    var untouched: UInt32 = 0 { didSet { untouchedInverted = ~untouched } }
    /// Tells a damaged number.
    private(set) var untouchedInverted = ~UInt32(0)
    var isUntouchedRight: Bool { untouchedInverted == ~untouched }
    private var next = TwiceWritten(1)
    private var progress = TwiceWritten(0)
    private var stampBytes = InlineArray<56, UInt8>(repeating: 0)
    private var stampChecksum: UInt64 = 0
    /// Records that were given up, by the number of their kind; 0 is for kinds beyond the table.
    var lost = InlineArray<128, UInt64>(repeating: 0)

    init(slotCount: UInt32 = 0, inboxSize: UInt32 = 0) {
      self.slotCount = slotCount
      self.inboxSize = inboxSize
    }

    /// How long the file is that begins with this.
    var fileSize: Int64 {
      Int64(
        OutboxMemory.fileSize(slotCount: Int(slotCount), inboxSize: Int(inboxSize) - 8))
    }

    /// The place in the order of arrival that the next record gets.
    var nextArrival: UInt64 {
      get { max(next.value, progress.value + 1) }
      set { next.value = newValue }
    }

    /// Records in the spill up to this arrival have come back into the outbox.
    var spillProgress: UInt64 {
      get { progress.value }
      set { progress.value = newValue }
    }

    /// The boot that the records are of, and its clock when it was last looked at; nil: damaged.
    var stamp: BootStamp? {
      get {
        guard stampChecksum == OutboxChecksum.of(stampBytes.span, 56, 0, 0) else { return nil }
        return BootStamp(decoding: stampBytes.span)
      }
      set {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(BootStamp.encodedSize)
        newValue?.encode(into: &bytes)
        for index in bytes.indices { stampBytes[index] = bytes[index] }
        stampChecksum = OutboxChecksum.of(stampBytes.span, 56, 0, 0)
      }
    }
  }

  /// A number that only grows. A kill between the two writes and a flipped bit leave a lower one, which
  /// brings records twice at worst.
  struct TwiceWritten {
    private var number: UInt64
    private var inverted: UInt64

    init(_ number: UInt64) {
      self.number = number
      inverted = ~number
    }

    var value: UInt64 {
      get { min(number, ~inverted, OutboxMemory.lastArrival) }
      set { self = Self(newValue) }
    }
  }

  /// Stands at the beginning of every slot.
  struct Slot {
    static let free: UInt32 = 0
    static let first: UInt32 = 0x4452_4352  // "RCRD"
    static let part: UInt32 = 0x5452_4150  // "PART"

    var state = Self.free
    var next = OutboxMemory.none
    var previous = OutboxMemory.none
    /// The slot with the rest of the record.
    var continuation = OutboxMemory.none
    var arrival: UInt64 = 0
    /// Of what was appended: fields, then bytes.
    var checksum: UInt64 = 0
    var length: UInt16 = 0
    var origin: UInt8 = 0
    var list: UInt8 = 0
  }

  static let none = UInt32.max
  /// No record comes this late.
  static let lastArrival: UInt64 = 1 << 63
  /// No outbox is larger, see --outbox-size.
  static let mostSlots: UInt32 = (1 << 30) / 256
  static let slotSize = 256
  static let payloadSize = slotSize - MemoryLayout<Slot>.stride
  private static let pageSize = 4096
  /// How much the file grows at once: a full file system is noticed then, not in a write to memory.
  private static let slotsPerStep = 64

  private let memory: UnsafeMutableRawPointer
  private let slots: UnsafeMutableRawPointer
  private let byteCount: Int
  private let file: FileDescriptor?
  /// The file's descriptor; -1 for memory alone.
  private let raw: Int32
  let slotCount: UInt32
  let inboxSize: Int
  /// Slots that the file system has given room for.
  private(set) var allocated: UInt32

  /// Memory that goes with the bridge. Errors: those of mmap(2).
  init(slotCount: Int, inboxSize: Int) throws(SystemError) {
    try self.init(mapping: nil, slotCount, inboxSize, MAP_PRIVATE | MAP_ANONYMOUS)
    head = Head(slotCount: self.slotCount, inboxSize: UInt32(self.inboxSize))
  }

  /// Memory in a file, which is there already with the same sizes, or is empty and gets them.
  ///
  /// Errors: those of ftruncate(2), posix_fallocate(3), ENOSPC first of all, and mmap(2).
  init(
    _ file: consuming FileDescriptor, _ path: Text, slotCount: Int, inboxSize: Int, isNew: Bool
  ) throws(SystemError) {
    let inbox = Self.pages(inboxSize)
    let size = Self.pageSize + inbox + slotCount * Self.slotSize
    if isNew {
      let start = Self.pageSize + inbox + min(slotCount, Self.slotsPerStep) * Self.slotSize
      guard ftruncate(file.raw, off_t(size)) == 0 else { throw SystemError("ftruncate", path) }
      let error = posix_fallocate(file.raw, 0, off_t(start))
      guard error == 0 else { throw SystemError("posix_fallocate", errno: error, path) }
    }
    try self.init(mapping: file, slotCount, inboxSize, MAP_SHARED)
    if isNew {
      head = Head(slotCount: self.slotCount, inboxSize: UInt32(self.inboxSize))
      allocated = min(self.slotCount, UInt32(Self.slotsPerStep))
    } else {
      allocated = allocatedSlots
    }
  }

  private init(
    mapping file: consuming FileDescriptor?, _ slotCount: Int, _ inboxSize: Int, _ flags: Int32
  ) throws(SystemError) {
    let inbox = Self.pages(inboxSize)
    let size = Self.pageSize + inbox + slotCount * Self.slotSize
    let raw: Int32 =
      switch file {
      case .some(let file): file.raw
      case .none: -1
      }
    guard let memory = mmap(nil, size, PROT_READ | PROT_WRITE, flags, raw, 0),
      Int(bitPattern: memory) != -1
    else { throw SystemError("mmap", "the outbox") }
    self.memory = memory
    slots = memory + Self.pageSize + inbox
    byteCount = size
    self.raw = raw
    self.file = file
    self.slotCount = UInt32(slotCount)
    self.inboxSize = inbox
    allocated = UInt32(slotCount)
  }

  deinit { munmap(memory, byteCount) }

  private static func pages(_ bytes: Int) -> Int {
    (bytes + 8 + pageSize - 1) / pageSize * pageSize
  }

  /// How long the file is that has so many slots, and an inbox for such messages.
  static func fileSize(slotCount: Int, inboxSize: Int) -> Int {
    pageSize + pages(inboxSize) + slotCount * slotSize
  }

  var isFile: Bool { raw >= 0 }

  /// Slots in a file of this size.
  func slots(in fileSize: Int64) -> UInt32 {
    let size = fileSize - Int64(slots - memory)
    return size <= 0 ? 0 : min(slotCount, UInt32(size / Int64(Self.slotSize)))
  }

  /// Slots from the first one on that the file has room for; to touch others might end in SIGBUS.
  var allocatedSlots: UInt32 {
    let start = slots - memory
    let hole = clinux_first_hole(raw, off_t(start))
    guard hole > start else { return 0 }
    return min(slotCount, UInt32((Int(hole) - start) / Self.slotSize))
  }

  var head: Head {
    _read { yield memory.assumingMemoryBound(to: Head.self).pointee }
    nonmutating _modify { yield &memory.assumingMemoryBound(to: Head.self).pointee }
  }

  subscript(index: UInt32) -> Slot {
    _read { yield slot(index).pointee }
    nonmutating _modify { yield &slot(index).pointee }
  }

  private func slot(_ index: UInt32) -> UnsafeMutablePointer<Slot> {
    precondition(index < slotCount)
    return (slots + Int(index) * Self.slotSize).assumingMemoryBound(to: Slot.self)
  }

  private func payload(_ index: UInt32) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(slot(index)) + MemoryLayout<Slot>.stride
  }

  // MARK: Slots

  /// From now on the slot has this state, after everything that was written before.
  func set(_ index: UInt32, _ state: UInt32) {
    clinux_store_release(UnsafeMutableRawPointer(slot(index)), state)
  }

  /// Copies a part of a record into the slot.
  func write(_ bytes: [UInt8], _ range: Range<Int>, to index: UInt32) {
    bytes.withUnsafeBytes {
      payload(index).copyMemory(from: $0.baseAddress! + range.lowerBound, byteCount: range.count)
    }
  }

  /// Copies what the slot holds of a record to this place of the buffer.
  func read(_ index: UInt32, _ count: Int, into buffer: inout [UInt8], at offset: Int) {
    precondition(offset + count <= buffer.count && count <= Self.payloadSize)
    buffer.withUnsafeMutableBytes {
      ($0.baseAddress! + offset).copyMemory(from: payload(index), byteCount: count)
    }
  }

  /// Copies what the slot holds of a record behind what was written.
  func read(_ index: UInt32, _ count: Int, into output: inout OutputSpan<UInt8>) {
    precondition(count <= output.freeCapacity && count <= Self.payloadSize)
    output.withUnsafeMutableBufferPointer { buffer, written in
      guard let start = buffer.baseAddress else { return }
      UnsafeMutableRawPointer(start + written).copyMemory(from: payload(index), byteCount: count)
      written += count
    }
  }

  /// Makes sure that the file system has room for this slot; false if it has none.
  mutating func allocate(_ index: UInt32) -> Bool {
    guard index >= allocated, isFile else { return true }
    let offset = byteCount - Int(slotCount - allocated) * Self.slotSize
    let count = min(Int(slotCount - allocated), Self.slotsPerStep)
    guard posix_fallocate(raw, off_t(offset), off_t(count * Self.slotSize)) == 0 else {
      return false
    }
    allocated += UInt32(count)
    return true
  }

  /// After a backlog the memory is empty for a long time: its pages go back to the machine.
  mutating func release(from first: UInt32) {
    let start = Int(bitPattern: slots) + Int(first) * Self.slotSize
    let aligned = (start + Self.pageSize - 1) / Self.pageSize * Self.pageSize
    let length = Int(bitPattern: memory) + byteCount - aligned
    guard length > 0, let pointer = UnsafeMutableRawPointer(bitPattern: aligned) else { return }
    let advice = isFile ? MADV_REMOVE : MADV_DONTNEED
    if madvise(pointer, length, advice) == 0 && isFile {
      allocated = UInt32((aligned - Int(bitPattern: slots)) / Self.slotSize)
    }
  }

  // MARK: The inbox

  /// Gives the inbox away for a message from this origin; it holds none before.
  func receive<Failure: Error>(
    from origin: UInt8, into buffer: inout [UInt8],
    _ body: (inout MutableRawSpan) throws(Failure) -> Int?
  ) throws(Failure) -> Int? {
    let inbox = memory + Self.pageSize
    inbox.storeBytes(of: UInt32(origin), as: UInt32.self)
    clearInbox()
    let message = UnsafeMutableRawBufferPointer(start: inbox + 8, count: inboxSize - 8)
    var span = MutableRawSpan(_unsafeBytes: message)
    guard let count = try body(&span) else { return nil }
    readInbox(count, into: &buffer)
    return count
  }

  /// The message is in a slot, or is none: it is not to be found again.
  func clearInbox() { clinux_store_release(memory + Self.pageSize + 8, 0) }

  /// The origin of what is in the inbox; what it is, its first bytes say, now in the buffer.
  func readInbox(_ count: Int, into buffer: inout [UInt8]) {
    buffer.withUnsafeMutableBytes {
      $0.copyMemory(
        from: UnsafeRawBufferPointer(start: memory + Self.pageSize + 8, count: min(count, $0.count))
      )
    }
  }

  // MARK: What each program last said of itself

  private static let statesOffset = 1280
  private static let stateSize = 232
  private static let statesCount = 12

  private func statePlace(_ program: UInt8) -> UnsafeMutableRawPointer? {
    precondition(MemoryLayout<Head>.size <= Self.statesOffset)
    guard program < Self.statesCount else { return nil }
    return memory + Self.statesOffset + Int(program) * Self.stateSize
  }

  /// Keeps the first bytes, a ``SourceState``, for the next bridge.
  @inline(never)
  func keepState(_ bytes: [UInt8], _ length: Int, of program: UInt8) {
    guard let place = statePlace(program), length <= Self.stateSize - 10 else { return }
    place.storeBytes(of: UInt16(length), toByteOffset: 8, as: UInt16.self)
    bytes.withUnsafeBytes {
      (place + 10).copyMemory(from: $0.baseAddress!, byteCount: min(length, $0.count))
    }
    let checksum = OutboxChecksum.of(bytes.span, length, UInt64(program), 0)
    place.storeBytes(of: checksum, as: UInt64.self)
  }

  /// What was kept; empty where there is nothing, or no whole one.
  @inline(never)
  func keptState(of program: UInt8) -> [UInt8] {
    guard let place = statePlace(program) else { return [] }
    let length = Int(place.load(fromByteOffset: 8, as: UInt16.self))
    guard length > 0, length <= Self.stateSize - 10 else { return [] }
    let bytes = [UInt8](UnsafeRawBufferPointer(start: place + 10, count: length))
    let checksum = OutboxChecksum.of(bytes.span, length, UInt64(program), 0)
    return checksum == place.load(as: UInt64.self) ? bytes : []
  }

  var inboxOrigin: UInt8 {
    UInt8(truncatingIfNeeded: (memory + Self.pageSize).load(as: UInt32.self))
  }
}
