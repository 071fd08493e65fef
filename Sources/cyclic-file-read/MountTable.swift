/// The mounts that are worth a record, chosen from /proc/self/mountinfo.
///
/// Each file system once, however often it is mounted: where all of it is, and of several such
/// places where the path is shortest, which is how df(1) chooses.
struct MountTable {
  struct Choice: Equatable {
    var mount: Mount
    /// Asking may take for ever: the file system is distant, or the path leads through one that is.
    var mayHang: Bool
  }

  private(set) var choices: [Choice] = []
  /// What is wrong with a line that was left out.
  private(set) var error: ParseError?
  private var all: [(mount: Mount, kind: FileSystemKind)] = []
  private let showsAll: Bool

  /// `showsAll`: images and what lies in memory too.
  init(showsAll: Bool = false) {
    self.showsAll = showsAll
  }

  mutating func choose(from text: Span<UInt8>) {
    all.removeAll(keepingCapacity: true)
    choices.removeAll(keepingCapacity: true)
    error = nil
    var offset = 0
    while let line = text.nextLine(&offset) {
      do throws(ParseError) {
        let mount = try Mount(parsing: line, of: text)
        all.append((mount, FileSystemKind(ofType: mount.type, in: text)))
      } catch {
        self.error = error
      }
    }
    for index in all.indices where isWanted(index, text) { add(index, text) }
  }

  private func isWanted(_ index: Int, _ text: Span<UInt8>) -> Bool {
    let (mount, kind) = all[index]
    switch kind {
    case .pseudo: return false
    case .memory, .image: if !showsAll { return false }
    case .local: break
    case .distant:
      // The layers of a container lie elsewhere; one that is the root is the device's own.
      if text.holds(mount.type, "overlay") && !showsAll && mount.point.count > 1 { return false }
    }
    // A later mount at the same place hides this one.
    return !all[(index + 1)...].contains { text.equal($0.mount.point, mount.point) }
  }

  private mutating func add(_ index: Int, _ text: Span<UInt8>) {
    let (mount, kind) = all[index]
    let mayHang =
      kind == .distant
      || all.contains {
        $0.kind == .distant && text.isPath($0.mount.point, above: mount.point)
      }
    let choice = Choice(mount: mount, mayHang: mayHang)
    guard let other = choices.firstIndex(where: { $0.mount.device == mount.device }) else {
      choices.append(choice)
      return
    }
    let known = choices[other].mount
    let (isWhole, knownIsWhole) = (mount.isWhole(text), known.isWhole(text))
    if isWhole != knownIsWhole ? isWhole : mount.point.count < known.point.count {
      choices[other] = choice
    }
  }
}

extension Span<UInt8> {
  /// Whether the folder `upper` is on the way to the other path; the root is not counted.
  func isPath(_ upper: Range<Int>, above lower: Range<Int>) -> Bool {
    guard upper.count > 1, upper.count < lower.count else { return false }
    let head = lower.lowerBound..<(lower.lowerBound + upper.count)
    return equal(upper, head) && self[head.upperBound] == UInt8(ascii: "/")
  }
}
