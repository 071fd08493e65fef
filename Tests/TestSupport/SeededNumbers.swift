/// The same numbers in every run, for mutations that can be had again: xorshift64*.
public struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64

  /// Any seed but 0, from which nothing else would come.
  public init(seed: UInt64) {
    precondition(seed != 0)
    state = seed
  }

  public mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_F491_4F6C_DD1D
  }
}
