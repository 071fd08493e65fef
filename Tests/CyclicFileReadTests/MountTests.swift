import Records
import Testing

@testable import cyclic_file_read

struct MountTests {
  private struct Chosen: Equatable {
    var point: String
    var source: String
    var type: String
    var isReadOnly = false
    var mayHang = false
  }

  private func choose(_ text: [UInt8], showsAll: Bool = false) -> [Chosen] {
    var table = MountTable(showsAll: showsAll)
    table.choose(from: text.span)
    func string(_ part: Range<Int>) -> String {
      var bytes: [UInt8] = []
      Mount.forEachByte(of: part, in: text.span) { bytes.append($0) }
      return String(decoding: bytes, as: UTF8.self)
    }
    return table.choices.map {
      Chosen(
        point: string($0.mount.point), source: string($0.mount.source),
        type: string($0.mount.type), isReadOnly: $0.mount.isReadOnly, mayHang: $0.mayHang)
    }
  }

  @Test func realFileSystemsAreChosenAndTheirEscapesDecoded() throws {
    let chosen = choose(try Fixture.bytes("mounts/raspberry-pi-os-bookworm"))
    #expect(
      chosen == [
        Chosen(point: "/", source: "/dev/mmcblk0p2", type: "ext4"),
        Chosen(point: "/boot/firmware", source: "/dev/mmcblk0p1", type: "vfat"),
        Chosen(
          point: "/mnt/nas", source: "nas.local:/export/media", type: "nfs4", mayHang: true),
        // The way to the disk leads through the server.
        Chosen(
          point: "/mnt/nas/usb", source: "/dev/sda1", type: "ext4", isReadOnly: true,
          mayHang: true),
        Chosen(
          point: "/media/My Stick\\\t#\nä", source: "/dev/sdb1", type: "fuseblk", mayHang: true),
      ])
  }

  @Test func aFileSystemIsChosenOnceAndWhereItIsWhole() throws {
    let chosen = choose(try Fixture.bytes("mounts/container-host"))
    #expect(
      chosen == [
        Chosen(point: "/", source: "/dev/nvme0n1p2", type: "btrfs"),
        Chosen(point: "/data", source: "/dev/sdb1", type: "xfs"),
        Chosen(point: "/mnt/no-source", source: "", type: "cifs", mayHang: true),
        Chosen(point: "/mnt/sshfs", source: "user@host:/a b", type: "fuse.sshfs", mayHang: true),
      ])
  }

  @Test func memoryImagesAndLayersAreChosenOnRequest() throws {
    let chosen = choose(try Fixture.bytes("mounts/container-host"), showsAll: true)
    #expect(
      chosen.map(\.point) == [
        "/", "/snap/core22/1963", "/var/lib/docker/overlay2/4f1c/merged", "/data", "/covered",
        "/mnt/no-source", "/mnt/sshfs",
      ])
  }

  @Test func aReadOnlyMountOfASandboxIsNoReadOnlyFileSystem() throws {
    let chosen = choose(try Fixture.bytes("mounts/sandboxed-unit"))
    #expect(chosen.map(\.point) == ["/", "/boot/firmware"])
    #expect(chosen.allSatisfy { !$0.isReadOnly })
  }

  @Test func theMachineItselfHasItsRoot() throws {
    let chosen = choose(try Fixture.bytes("mounts/linux-6.18-virtual-machine"))
    #expect(chosen == [Chosen(point: "/", source: "/dev/vda", type: "ext4")])
  }

  @Test(arguments: [
    "", "22 1", "22 1 179 / / rw - ext4 /dev/x rw", "22 1 a:b / / rw - ext4 /dev/x rw",
    "22 1 179:2 / / rw shared:1", "22 1 179:2 / / rw -", "22 1 179:2 / / rw - ext4",
    "22 1 4294967296:2 / / rw - ext4 /dev/x rw",
  ])
  func aLineThatIsNoneIsRefused(_ line: String) {
    let text = [UInt8](line.utf8)
    #expect(throws: ParseError.self) { _ = try Mount(parsing: 0..<text.count, of: text.span) }
    var table = MountTable()
    table.choose(from: (text + [UInt8(ascii: "\n")]).span)
    #expect(table.choices.isEmpty)
    #expect(table.error != nil)
  }

  @Test func anEscapeThatIsNoneStaysAsItIs() {
    for (text, decoded) in [
      ("\\", "\\"), ("\\04", "\\04"), ("\\08x", "\\08x"), ("\\777", "\\777"), ("\\040", " "),
      ("a\\", "a\\"), ("\\\\040", "\\ "),
    ] {
      let bytes = [UInt8](text.utf8)
      var result: [UInt8] = []
      Mount.forEachByte(of: 0..<bytes.count, in: bytes.span) { result.append($0) }
      #expect(String(decoding: result, as: UTF8.self) == decoded)
    }
  }

  @Test(arguments: ["raspberry-pi-os-bookworm", "container-host", "sandboxed-unit"])
  func ofAnyMutationEachDeviceIsChosenOnce(_ file: String) throws {
    let seed: UInt64 = 41
    for text in try Mutations(of: Fixture.bytes("mounts/\(file)"), count: 3000, seed: seed) {
      var table = MountTable(showsAll: true)
      table.choose(from: text.span)
      let devices = table.choices.map(\.mount.device)
      #expect(Set(devices).count == devices.count, "seed \(seed): \(text)")
      for choice in table.choices {
        Mount.forEachByte(of: choice.mount.point, in: text.span) { _ in }
        Mount.forEachByte(of: choice.mount.source, in: text.span) { _ in }
      }
    }
  }
}

struct FileSystemKindTests {
  @Test(arguments: [
    ("ext4", FileSystemKind.local), ("vfat", .local), ("zfs", .local), ("ntfs", .local),
    ("nfs", .distant), ("nfs4", .distant), ("cifs", .distant), ("fuse.sshfs", .distant),
    ("fuseblk", .distant), ("overlay", .distant), ("ext", .distant), ("t4", .distant),
    ("what-comes-next", .distant), ("", .distant), ("tmpfs", .memory), ("squashfs", .image),
    ("proc", .pseudo), ("anon_inodefs", .pseudo), ("cgroup2", .pseudo), ("fuse.lxcfs", .pseudo),
  ])
  func whatATypeMeans(_ type: String, _ kind: FileSystemKind) {
    let text = [UInt8](" \(type) ".utf8)
    let found = FileSystemKind(ofType: 1..<(text.count - 1), in: text.span)
    #expect(found == kind)
  }
}
