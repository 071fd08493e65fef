import Linux
import Records

/// Where pressure is accounted: the whole system, or one cgroup.
final class Place {
  /// Empty for the whole system.
  let cgroup: CgroupPath
  /// Tells a cgroup from one of the same name that was there before.
  let inode: UInt64
  private let folder: Text

  /// The whole system: the folder `pressure` of procfs.
  init(procfs: Text) {
    cgroup = CgroupPath()
    folder = procfs.appending("pressure")
    inode = 0
  }

  /// The cgroup with this folder, which begins with the root of all; nil if it is not there.
  static func find(folder: Text, root: Text) -> Place? {
    guard let inode = folder.folderInode else { return nil }
    var path = CgroupPath()
    // Behind the root and a slash.
    for byte in folder.bytes.dropFirst(root.bytes.count + 1) { path.append(byte) }
    return Place(path, inode, folder)
  }

  private init(_ cgroup: CgroupPath, _ inode: UInt64, _ folder: Text) {
    self.cgroup = cgroup
    self.inode = inode
    self.folder = folder
  }

  var isSystem: Bool { cgroup.isEmpty }

  /// `/proc/pressure/cpu`, or `cpu.pressure` in the cgroup's folder.
  func file(_ resource: PressureResource) -> Text {
    folder.appending(resource.name, isSystem ? "" : ".pressure")
  }

  /// For a person.
  var name: Text { folder }
}

extension [Place] {
  /// Where the cgroup with this inode is.
  @inline(never)
  func first(inode: UInt64) -> Int? {
    for index in indices where self[index].inode == inode { return index }
    return nil
  }
}

/// A pressure file that is read for plain samples.
final class SampledFile {
  let place: Place
  let resource: PressureResource
  let file: PressureFile
  /// Said once, until it can be read again.
  var hasFailed = false

  private init(_ place: Place, _ resource: PressureResource, _ file: consuming PressureFile) {
    self.place = place
    self.resource = resource
    self.file = file
  }

  /// Errors: those of open(2).
  ///
  /// No initializer: one of a class that throws before all is set leaks in Embedded Swift 6.3.
  static func open(
    _ place: Place, _ resource: PressureResource
  ) throws(SystemError) -> SampledFile {
    SampledFile(place, resource, try PressureFile(place.file(resource)))
  }

  func sample() throws(PressureFile.Failure) -> PressureSample {
    PressureSample(resource, of: place.cgroup, try file.read())
  }
}
