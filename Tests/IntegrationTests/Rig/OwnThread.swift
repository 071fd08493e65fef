import Foundation
import Testing

/// Runs a test on a thread of its own: those that mostly wait do not have to wait for each other.
///
/// Swift Testing runs as many tests at once as there are processors.
struct OwnThreadTrait: SuiteTrait, TestTrait, TestScoping {
  var isRecursive: Bool { true }

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    // Each test case of a suite's tests is given a scope, and so is the suite.
    guard testCase != nil else { return try await function() }
    try await withTaskExecutorPreference(Threads.shared) {
      Threads.places.wait()
      defer { Threads.places.signal() }
      try await function()
    }
  }

  private final class Threads: TaskExecutor {
    static let shared = Threads()
    /// So many at once.
    static let places = DispatchSemaphore(value: 6)

    func enqueue(_ job: consuming ExecutorJob) {
      let job = UnownedJob(job)
      Thread.detachNewThread { job.runSynchronously(on: Self.shared.asUnownedTaskExecutor()) }
    }
  }
}

extension Trait where Self == OwnThreadTrait {
  static var onItsOwnThread: Self { OwnThreadTrait() }
}
