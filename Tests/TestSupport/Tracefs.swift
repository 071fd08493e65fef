#if !hasFeature(Embedded)
  import Foundation

  /// Where the kernel has its tracepoints.
  public enum Tracefs {
    /// Mounts it where it is not, and takes it away with the tests; false where that cannot be.
    public static let isMounted: Bool = {
      let folder = "/sys/kernel/tracing"
      if FileManager.default.fileExists(atPath: "\(folder)/events") { return true }
      guard mount("tracefs", folder, "tracefs", 0, nil) == 0 else { return false }
      atexit { umount2("/sys/kernel/tracing", Int32(MNT_DETACH)) }
      return true
    }()
  }
#endif
