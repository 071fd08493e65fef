import Records
import TestSupport
import Testing

@testable import epoll_psi

/// All with 100 ms within 2 s.
struct StallEpisodeTests {
  private static let second: UInt64 = 1_000_000_000

  /// By reference, since #expect does not take what changes a value.
  private final class Episode {
    private var value: StallEpisode

    init(_ value: StallEpisode) { self.value = value }

    var due: UInt64? { value.due }
    var isRunning: Bool { value.isRunning }
    func fired(_ total: UInt64, at time: UInt64) -> StallEpisode.Step? {
      value.fired(total, at: time)
    }
    func looked(_ total: UInt64, at time: UInt64) -> StallEpisode.Step? {
      value.looked(total, at: time)
    }
    func ended(_ total: UInt64, at time: UInt64) -> StallEpisode.Step? {
      value.ended(total, at: time)
    }
  }

  private func episode(isPolled: Bool = false, total: UInt64 = 5_000_000) throws -> Episode {
    Episode(
      StallEpisode(
        try Trigger(parsing: "memory:full:100ms/2s"), isPolled: isPolled, total: total,
        at: 100 * Self.second))
  }

  private func seconds(_ seconds: Double) -> UInt64 { UInt64(seconds * 1e9) }

  @Test func theKernelsWordIsTheOnset() throws {
    let episode = try episode()
    #expect(episode.due == nil)
    let step = try #require(episode.fired(5_150_000, at: seconds(130)))
    #expect(step.state == .onset)
    #expect(step.stall == 150_000)
    #expect(step.interval == 30_000_000)
    #expect(step.episode == 0)
    #expect(step.episodeStall == 0)
    #expect(episode.isRunning)
  }

  @Test func whatFiresBelowTheThresholdIsNoStall() throws {
    let episode = try episode()
    #expect(episode.fired(5_099_999, at: seconds(130)) == nil)
    #expect(!episode.isRunning)
    #expect(episode.due == nil)
    #expect(episode.fired(5_100_000, at: seconds(132))?.state == .onset)
  }

  @Test func itGoesOnAsLongAsTheKernelFires() throws {
    let episode = try episode()
    _ = episode.fired(5_150_000, at: seconds(130))
    let step = try #require(episode.fired(6_150_000, at: seconds(132.1)))
    #expect(step.state == .ongoing)
    #expect(step.stall == 1_000_000)
    #expect(step.interval == 2_100_000)
    #expect(step.episode == 2_100_000)
    #expect(step.episodeStall == 1_000_000)
    #expect(episode.due == seconds(134.6))
  }

  @Test func aLookIsDueOnlyAfterTheKernelHadTimeToFire() throws {
    let episode = try episode()
    _ = episode.fired(5_150_000, at: seconds(130))
    #expect(episode.due == seconds(132.5))
  }

  @Test func itIsOverAfterAWindowBelowTheThreshold() throws {
    let episode = try episode()
    _ = episode.fired(5_150_000, at: seconds(130))
    _ = episode.fired(6_150_000, at: seconds(132))
    let step = try #require(episode.looked(6_200_000, at: seconds(134.5)))
    #expect(step.state == .over)
    #expect(step.stall == 50_000)
    #expect(step.interval == 2_500_000)
    #expect(step.episode == 4_500_000)
    #expect(step.episodeStall == 1_050_000)
    #expect(!episode.isRunning)
    #expect(episode.due == nil)
  }

  @Test func aLookThatFindsTheThresholdPassedGoesOn() throws {
    let episode = try episode()
    _ = episode.fired(5_150_000, at: seconds(130))
    // 100 ms in 2 s are 125 ms in 2.5 s.
    #expect(episode.looked(5_275_000, at: seconds(132.5))?.state == .ongoing)
    #expect(episode.looked(5_399_999, at: seconds(135))?.state == .over)
  }

  @Test func thereIsAtMostOneRecordPerWindow() throws {
    let episode = try episode()
    _ = episode.fired(5_150_000, at: seconds(130))
    #expect(episode.looked(5_400_000, at: seconds(132.5))?.state == .ongoing)
    #expect(episode.fired(5_410_000, at: seconds(134)) == nil)
    // What the kernel said meanwhile is not forgotten.
    #expect(episode.looked(5_420_000, at: seconds(135))?.state == .ongoing)
    #expect(episode.looked(5_420_000, at: seconds(137.5))?.state == .over)
  }

  @Test func aSecondEpisodeCountsForItself() throws {
    let episode = try episode()
    _ = episode.fired(5_150_000, at: seconds(130))
    _ = episode.looked(5_150_000, at: seconds(132.5))
    let step = try #require(episode.fired(5_400_000, at: seconds(200)))
    #expect(step.state == .onset)
    #expect(step.stall == 250_000)
    #expect(step.interval == 67_500_000)
    #expect(step.episode == 0)
    #expect(step.episodeStall == 0)
  }

  @Test func whereTheKernelTellsNothingEachWindowIsLookedAt() throws {
    let episode = try episode(isPolled: true)
    #expect(episode.due == seconds(102))
    #expect(episode.looked(5_099_999, at: seconds(102)) == nil)
    #expect(episode.due == seconds(104))
    let step = try #require(episode.looked(5_199_999, at: seconds(104)))
    #expect(step.state == .onset)
    // Since the record before, of which there is none: since it was set.
    #expect(step.stall == 199_999)
    #expect(step.interval == 4_000_000)
    #expect(episode.looked(5_200_000, at: seconds(106.5))?.state == .over)
    #expect(episode.due == seconds(108.5))
  }

  @Test func aPlaceThatGoesEndsItsEpisode() throws {
    let episode = try episode()
    #expect(episode.ended(5_050_000, at: seconds(110)) == nil)
    _ = episode.fired(5_150_000, at: seconds(130))
    let step = try #require(episode.ended(5_150_000, at: seconds(131)))
    #expect(step.state == .gone)
    #expect(step.episode == 1_000_000)
    #expect(!episode.isRunning)
    #expect(episode.ended(5_150_000, at: seconds(132)) == nil)
  }

  @Test func theStallsOfAllRecordsAddUpToTheTotal() throws {
    var random = SeededNumbers(seed: 7)
    for isPolled in [false, true] {
      let episode = try episode(isPolled: isPolled)
      var (total, time, told, toldTime) = (UInt64(5_000_000), seconds(100), UInt64(0), UInt64(0))
      var lastTold = (total: total, time: time)
      var states: [PressureStall.State] = []
      for _ in 0..<5000 {
        total += .random(in: 0...300_000, using: &random)
        time += .random(in: 1_000_000...3_000_000_000, using: &random)
        let isDue = (episode.due ?? .max) <= time
        let step =
          isDue
          ? episode.looked(total, at: time)
          : !isPolled && Bool.random(using: &random) ? episode.fired(total, at: time) : nil
        guard let step else { continue }
        told += step.stall
        toldTime += step.interval
        lastTold = (total, time)
        states.append(step.state)
      }
      #expect(told == lastTold.total - 5_000_000)
      // Whole microseconds are told, cut each time.
      #expect((lastTold.time - seconds(100)) / 1000 - toldTime <= UInt64(states.count))
      #expect(states.contains(.over))
      for (one, next) in zip(states, states.dropFirst()) {
        #expect((one == .over) == (next == .onset))
      }
    }
  }

  /// A file that is not the kernel's may show anything.
  @Test func noTotalAndNoTimeIsTooMuch() throws {
    var random = SeededNumbers(seed: 11)
    let extremes: [UInt64] = [0, 1, 5_000_000, 1 << 40, UInt64.max - 1]
    for isPolled in [false, true] {
      for _ in 0..<2000 {
        let episode = try episode(
          isPolled: isPolled, total: extremes.randomElement(using: &random)!)
        for _ in 0..<6 {
          let total = extremes.randomElement(using: &random)!
          let time = UInt64.random(in: 0...(1 << 62), using: &random)
          switch Int.random(in: 0..<3, using: &random) {
          case 0: _ = episode.fired(total, at: time)
          case 1: _ = episode.looked(total, at: time)
          default: _ = episode.ended(total, at: time)
          }
        }
      }
    }
  }
}
