import Foundation
import Linux
import Records
import TestSupport
import Testing

@testable import epoll_psi

/// A cgroup v2 that is none: folders of the test's own.
final class Tree {
  let root = FileManager.default.temporaryDirectory.appending(path: "st-psi-\(UUID().uuidString)")

  init(_ folders: String...) throws {
    for folder in folders { try add(folder) }
  }

  deinit { try? FileManager.default.removeItem(at: root) }

  func add(_ folder: String) throws {
    try FileManager.default.createDirectory(
      at: root.appending(path: folder), withIntermediateDirectories: true)
  }

  func remove(_ folder: String) throws {
    try FileManager.default.removeItem(at: root.appending(path: folder))
  }

  func write(_ text: String, to path: String) throws {
    try text.write(to: root.appending(path: path), atomically: false, encoding: .utf8)
  }

  /// What fits these patterns now.
  func found(_ patterns: String...) throws -> [String] {
    let patterns = try patterns.map { try #require(CgroupPattern(parsing: Text($0))) }
    var tree = try CgroupTree(root: Text(root.path()), patterns, follows: false)
    return tree.scan().map { text($0.cgroup) }.sorted()
  }
}

private func text<let capacity: Int>(_ text: FixedText<capacity>) -> String {
  String(decoding: (0..<text.count).map { text[$0] }, as: UTF8.self)
}

struct CgroupTests {
  private func tree() throws -> Tree {
    try Tree(
      "system.slice/ssh.service", "system.slice/influxdb.service", "system.slice/a.slice/b.service",
      "user.slice/user-1000.slice", "init.scope")
  }

  @Test func aPathFitsItself() throws {
    #expect(try tree().found("system.slice/ssh.service") == ["system.slice/ssh.service"])
    #expect(try tree().found("/system.slice/") == ["system.slice"])
    #expect(try tree().found("nothing.slice") == [])
    #expect(try tree().found("system.slice/nothing/deeper") == [])
  }

  @Test func aWildcardStandsForOnePart() throws {
    #expect(
      try tree().found("system.slice/*.service")
        == ["system.slice/influxdb.service", "system.slice/ssh.service"])
    #expect(try tree().found("*") == ["init.scope", "system.slice", "user.slice"])
    #expect(
      try tree().found("*/*/*") == ["system.slice/a.slice/b.service"])
    #expect(try tree().found("[iu]*.s?*") == ["init.scope", "user.slice"])
  }

  @Test func whatFitsTwiceIsFoundOnce() throws {
    #expect(try tree().found("init.scope", "init.*", "/init.scope") == ["init.scope"])
  }

  @Test func filesAndHiddenFoldersAreNoCgroups() throws {
    let tree = try tree()
    try tree.write("", to: "file")
    try tree.add(".hidden")
    #expect(try tree.found("*") == ["init.scope", "system.slice", "user.slice"])
  }

  @Test(arguments: ["", "/", "//", "..", "a/../b", "./a", "a/."])
  func whatLeadsOutOfTheTreeIsNoPattern(_ text: String) {
    #expect(CgroupPattern(parsing: Text(text)) == nil)
  }

  @Test func aNameMayBeAnyBytes() throws {
    let tree = try Tree("system.slice")
    var path = Array(tree.root.path().utf8CString.dropLast()) + [CChar(UInt8(ascii: "/"))]
    path += [0x61, -1, 0x62, 0]
    #expect(mkdir(path, 0o700) == 0)
    let pattern = try #require(CgroupPattern(parsing: "a*"))
    var cgroups = try CgroupTree(root: Text(tree.root.path()), [pattern], follows: false)
    let places = cgroups.scan()
    let place = try #require(places.first)
    #expect((0..<place.cgroup.count).map { place.cgroup[$0] } == [0x61, 0xFF, 0x62])
    #expect(place.file(.cpu).c.count == path.count + "/cpu.pressure".utf8.count)
    rmdir(path)
  }

  @Test func whatComesAndGoesIsTold() throws {
    let tree = try Tree("system.slice")
    let pattern = try #require(CgroupPattern(parsing: "system.slice/*.service"))
    var cgroups = try CgroupTree(root: Text(tree.root.path()), [pattern], follows: true)
    _ = cgroups.scan()
    let unwatched = cgroups.unwatched?.description
    #expect(unwatched == nil)
    let descriptor = cgroups.descriptor
    let changes = try #require(descriptor)
    func found() -> [String] { cgroups.scan().map { text($0.cgroup) }.sorted() }
    func isReady() -> Bool {
      var descriptor = pollfd(fd: changes, events: Int16(POLLIN), revents: 0)
      return poll(&descriptor, 1, 1000) == 1
    }
    try tree.add("system.slice/one.service")
    #expect(isReady())
    try cgroups.takeChanges()
    #expect(found() == ["system.slice/one.service"])
    try tree.remove("system.slice/one.service")
    #expect(isReady())
    try cgroups.takeChanges()
    #expect(found().isEmpty)
    // The slice itself goes and comes again.
    try tree.remove("system.slice")
    try tree.add("elsewhere")
    try tree.add("system.slice/one.service")
    #expect(isReady())
    try cgroups.takeChanges()
    #expect(found() == ["system.slice/one.service"])
    try tree.add("system.slice/two.service")
    #expect(isReady())
    #expect(found().count == 2)
  }

  @Test func onlyTheSecondVersionOfCgroupsIsARoot() throws {
    let tree = try Tree("x")
    #expect(CgroupTree.root(Text(tree.root.path())) == nil)
    try tree.write("", to: "cgroup.controllers")
    #expect(CgroupTree.root(Text(tree.root.path())) != nil)
  }
}
