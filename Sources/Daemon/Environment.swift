import CLinux
import Linux

/// A variable of the environment.
public func environment(_ name: StaticString) -> Text? {
  getenv(UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)).map {
    Text(cString: $0)
  }
}

/// The first of the folders that systemd made for a program; systemd.exec(5): `STATE_DIRECTORY` and
/// the like hold paths with colons between them.
public func folder(inEnvironment name: StaticString) -> Text? {
  guard let folders = environment(name) else { return nil }
  let end = folders.bytes.firstIndex(of: UInt8(ascii: ":")) ?? folders.bytes.count
  return end == 0 ? nil : Text(folders.bytes[..<end])
}
