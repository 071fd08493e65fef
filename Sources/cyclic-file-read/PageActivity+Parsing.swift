import Records

extension PageActivity {
  /// /proc/vmstat, of which each kernel has other lines.
  ///
  /// ```
  /// pgpgin 10862585            in KiB
  /// pswpin 0                   in pages
  /// allocstall 0               up to Linux 4.9
  /// allocstall_normal 0        since 4.10, one for each zone: _dma, _dma32, _normal, _movable …
  /// oom_kill 0                 since 4.13
  /// ```
  /// A kernel without CONFIG_VM_EVENT_COUNTERS has none of them, and no record.
  init(parsing content: Span<UInt8>) throws(ParseError) {
    self.init()
    var (hasFaults, hasMajorFaults) = (false, false)
    var offset = 0
    while var rest = content.nextLine(&offset) {
      // Of 200 lines these few have to be looked at.
      switch rest.isEmpty ? 0 : content[rest.lowerBound] {
      case UInt8(ascii: "a"), UInt8(ascii: "o"), UInt8(ascii: "p"): break
      default: continue
      }
      guard let key = content.nextWord(&rest) else { continue }
      guard let number = content.nextNumber(&rest) else {
        throw ParseError("has a line that is not a name and a number")
      }
      if content.holds(key, "pgfault") {
        pageFaults = number
        hasFaults = true
      } else if content.holds(key, "pgmajfault") {
        majorPageFaults = number
        hasMajorFaults = true
      } else if content.holds(key, "pgpgin") {
        pagedInBytes = number.multipliedSaturated(by: 1024)
      } else if content.holds(key, "pgpgout") {
        pagedOutBytes = number.multipliedSaturated(by: 1024)
      } else if content.holds(key, "pswpin") {
        swappedInPages = number
      } else if content.holds(key, "pswpout") {
        swappedOutPages = number
      } else if content.holds(key, "oom_kill") {
        oomKills = number
      } else if content.holds(key, "allocstall") || content.starts(key, with: "allocstall_") {
        allocationStalls = (allocationStalls ?? 0) &+ number
      }
    }
    guard hasFaults else { throw ParseError("has no line pgfault") }
    guard hasMajorFaults else { throw ParseError("has no line pgmajfault") }
  }
}
