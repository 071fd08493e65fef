import CLinux
import Foundation
import Linux
import TestSupport
import Testing

@testable import inotify_coredump

struct WatchedFolderTests {
  private final class Place {
    let path: String

    init() throws {
      path =
        FileManager.default.temporaryDirectory
        .appending(path: "watched-\(getpid())-\(UInt32.random(in: 0...UInt32.max))").path()
      try make("")
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func make(_ name: String) throws {
      try FileManager.default.createDirectory(
        atPath: path + "/" + name, withIntermediateDirectories: true)
    }

    func write(_ name: String) {
      let file = clinux_open(path + "/" + name, O_WRONLY | O_CREAT, 0o600)
      #expect(file >= 0 && close(file) == 0)
    }

    func move(_ from: String, _ to: String) {
      #expect(rename(path + "/" + from, path + "/" + to) == 0)
    }
  }

  /// The macros take no value that cannot be copied.
  private func expectExists(
    _ folder: borrowing WatchedFolder, _ expected: Bool,
    _ location: SourceLocation = #_sourceLocation
  ) {
    let exists = folder.exists
    #expect(exists == expected, sourceLocation: location)
  }

  /// Every event that is there, as a word each.
  private func events(_ folder: inout WatchedFolder) throws -> [String] {
    var words: [String] = []
    while let event = try folder.next() {
      switch event {
      case .file(let range, let isClosed):
        let name = String(decoding: folder.name(range), as: UTF8.self)
        words.append(isClosed ? "\(name) closed" : name)
      case .appeared: words.append("appeared")
      case .gone: words.append("gone")
      case .overflow: words.append("overflow")
      }
    }
    return words
  }

  @Test func filesAreToldWhenMadeClosedAndMovedHere() throws {
    let place = try Place()
    try place.make("d")
    var folder = try WatchedFolder(Text(place.path + "/d"))
    expectExists(folder, true)
    place.write("d/a")
    place.move("d/a", "d/b")
    try place.make("d/folder")
    #expect(link(place.path + "/d/b", place.path + "/d/c") == 0)
    #expect(try events(&folder) == ["a", "a closed", "b closed", "c"])
  }

  @Test func aFolderThatComesLaterIsFollowedFromTheNearestOneAbove() throws {
    let place = try Place()
    var folder = try WatchedFolder(Text(place.path + "/a/b/c"))
    expectExists(folder, false)
    try place.make("a")
    #expect(try events(&folder) == [])
    try place.make("a/b/c")
    #expect(try events(&folder) == ["appeared"])
    place.write("a/b/c/x")
    #expect(try events(&folder) == ["x", "x closed"])
  }

  @Test func aFolderThatGoesIsAwaited() throws {
    let place = try Place()
    try place.make("a/b")
    var folder = try WatchedFolder(Text(place.path + "/a/b/"))
    #expect(rmdir(place.path + "/a/b") == 0)
    #expect(try events(&folder) == ["gone"])
    expectExists(folder, false)
    try place.make("a/b")
    #expect(try events(&folder) == ["appeared"])
    expectExists(folder, true)
  }

  @Test func aFolderThatIsReplacedIsAnotherOne() throws {
    let place = try Place()
    try place.make("a/b")
    try place.make("a/new")
    var folder = try WatchedFolder(Text(place.path + "/a/b"))
    place.move("a/b", "a/old")
    place.move("a/new", "a/b")
    place.write("a/old/lost")
    place.write("a/b/found")
    #expect(try !events(&folder).contains("lost"))
    expectExists(folder, true)
    place.write("a/b/later")
    #expect(try events(&folder).contains("later closed"))
  }

  @Test func aFolderAboveThatIsReplacedReplacesIt() throws {
    let place = try Place()
    try place.make("a/b")
    var folder = try WatchedFolder(Text(place.path + "/a/b"))
    place.move("a", "z")
    #expect(try events(&folder) == ["gone"])
    try place.make("a/b")
    #expect(try events(&folder) == ["appeared"])
    place.write("a/b/x")
    #expect(try events(&folder) == ["x", "x closed"])
  }

  @Test func moreThanInotifyCanTellIsSaid() throws {
    let place = try Place()
    try place.make("d")
    var folder = try WatchedFolder(Text(place.path + "/d"))
    let limit = try String(
      contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .utf8)
    let count = try #require(Int(limit.trimmingCharacters(in: .whitespacesAndNewlines)))
    place.write("d/a")
    for index in 0...count / 2 + 1 {
      place.move("d/a", "d/b")
      place.move("d/b", "d/a")
      if index > 20_000 { break }
    }
    #expect(try events(&folder).last == "overflow")
    place.write("d/c")
    #expect(try events(&folder) == ["c", "c closed"])
  }

  @Test func aFileInTheWayIsNoFolder() throws {
    let place = try Place()
    place.write("d")
    var folder = try WatchedFolder(Text(place.path + "/d"))
    expectExists(folder, false)
    #expect(unlink(place.path + "/d") == 0)
    try place.make("d")
    #expect(try events(&folder) == ["appeared"])
  }

  @Test func slashesMoreOrLessAreTheSamePath() throws {
    let place = try Place()
    try place.make("d")
    let folder = try WatchedFolder(Text("/" + place.path + "///d//"))
    expectExists(folder, true)
    let path = folder.path.string
    #expect(!path.hasSuffix("/"))
    let file = folder.filePath([65])
    #expect(file == Array((path + "/A").utf8) + [0])
  }

  @Test func everyNameIsListed() throws {
    let place = try Place()
    try place.make("d")
    for name in ["a", "b"] { place.write("d/" + name) }
    let folder = try WatchedFolder(Text(place.path + "/d"))
    var names: Set<String> = []
    try folder.eachName { name in
      names.insert(String(decoding: name.indices.map { name[$0] }, as: UTF8.self))
    }
    #expect(names == [".", "..", "a", "b"])
  }
}
