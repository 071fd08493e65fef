import Foundation
import Linux
import Records
import TestSupport
import Testing

@testable import epoll_psi

/// Triggers on copies, which are read once per window; those of the kernel are tested with the
/// program itself.
struct WatchTests {
  private let line = "some avg10=0.00 avg60=0.00 avg300=0.00 total="

  private func place(_ tree: Tree) throws -> Place {
    try tree.add("pressure")
    return Place(procfs: Text(tree.root.path()))
  }

  @Test func aCopyIsReadAndNeverWrittenTo() throws {
    let tree = try Tree()
    let place = try place(tree)
    try tree.write(line + "1000\n", to: "pressure/memory")
    let watch = try Watch.set(Trigger(.memory, .some), at: place, id: 16)
    guard case .copy = watch.polling else {
      Issue.record("taken for a file of the kernel's")
      return
    }
    #expect(watch.isPolled)
    #expect(watch.episode.due != nil)
    let path = tree.root.appending(path: "pressure/memory")
    #expect(try String(contentsOf: path, encoding: .utf8) == line + "1000\n")
  }

  @Test func theRecordTellsWhatTheFileShows() throws {
    let tree = try Tree()
    let place = try place(tree)
    try tree.write(line + "1000\n", to: "pressure/memory")
    let watch = try Watch.set(Trigger(.memory, .some), at: place, id: 16)
    try tree.write(line + "9000001000\n", to: "pressure/memory")
    let stall = try #require(try watch.look(fired: false))
    #expect(stall.state == .onset)
    #expect(stall.resource == .memory)
    #expect(stall.scope == .some)
    #expect(stall.isPolled)
    #expect(stall.cgroup.isEmpty)
    #expect(stall.thresholdMicroseconds == 200_000)
    #expect(stall.windowMicroseconds == 2_000_000)
    #expect(stall.stallMicroseconds == 9_000_000_000)
    #expect(stall.pressure.some.totalMicroseconds == 9_000_001_000)
    let end = try #require(watch.end())
    #expect(end.state == .gone)
    #expect(end.pressure.some.totalMicroseconds == 9_000_001_000)
  }

  @Test func aScopeThatTheKernelDoesNotHaveIsRefused() throws {
    let tree = try Tree()
    let place = try place(tree)
    try tree.write(line + "1000\n", to: "pressure/cpu")
    do throws(Watch.Failure) {
      _ = try Watch.set(Trigger(.cpu, .full), at: place, id: 16)
      Issue.record("accepted")
    } catch {
      guard case .noSuchScope = error else {
        Issue.record("\(error.description)")
        return
      }
    }
  }

  @Test(arguments: ["", "garbage", "some avg10=0.00\n", String(repeating: "x", count: 5000)])
  func garbageIsRefusedNotBelieved(_ text: String) throws {
    let tree = try Tree()
    let place = try place(tree)
    try tree.write(text, to: "pressure/io")
    do throws(Watch.Failure) {
      _ = try Watch.set(Trigger(.io, .some), at: place, id: 16)
      Issue.record("accepted")
    } catch {
      guard case .malformed = error else {
        Issue.record("\(error.description)")
        return
      }
    }
    let file = try SampledFile.open(place, .io)
    do throws(PressureFile.Failure) {
      _ = try file.sample()
      Issue.record("accepted")
    } catch {
      guard case .malformed = error else {
        Issue.record("\(error)")
        return
      }
    }
  }

  @Test func whatIsMissingSaysWhichFile() throws {
    let tree = try Tree()
    let place = try place(tree)
    do throws(Watch.Failure) {
      _ = try Watch.set(Trigger(.io, .some), at: place, id: 16)
      Issue.record("accepted")
    } catch {
      #expect(error.description.contains("/pressure/io: No such file"))
    }
  }

  @Test func theReasonForNoPressureFitsIntoItsRecord() throws {
    let tree = try Tree()
    #expect(missingPressure(Text(tree.root.path()))?.contains("psi=1") == true)
    let reason = try #require(missingPressure("/nowhere")).string.replacingOccurrences(
      of: "/nowhere", with: "/proc")
    #expect(reason.hasPrefix("no /proc/pressure: "))
    #expect(!SourceState(.unavailable, reason: [UInt8](reason.utf8).span).reason.isCut)
  }
}
