import CLinux
import Daemon
import Linux

/// How to reach the broker, and as whom.
struct BrokerOptions {
  let host: Text
  let port: Int
  let keepAlive: Interval
  let security: Security
  let username: Text?
  let password: Text?

  enum Security {
    case none
    /// With the system's certificate authorities if `authorities` is nil.
    case certificates(authorities: Text?, certificate: Text?, key: Text?)
    case preSharedKey(identity: Text, key: Text)
  }

  init(_ options: inout Options) {
    host = options.text("host", "HOST", default: "127.0.0.1", "the broker")
    let tls = options.flag("tls", "use TLS, with the system's certificate authorities")
    let authorities = options.text("ca-file", "FILE", "use TLS, with these authorities (PEM)")
    let certificate = options.text("certificate-file", "FILE", "the client's certificate (PEM)")
    let key = options.text("key-file", "FILE", "the key of the client's certificate (PEM)")
    let identity = options.text("psk-identity", "NAME", "use TLS with a pre-shared key")
    let pskFile = options.text("psk-file", "FILE", "the pre-shared key, in hexadecimal")
    username = options.text("username", "NAME", "who to log in as")
    let passwordFile = options.text(
      "password-file", "FILE",
      "the password is its first line [$CREDENTIALS_DIRECTORY/mqtt-password]")

    if (certificate == nil) != (key == nil) {
      options.fail("--certificate-file and --key-file go together")
    }
    if identity != nil {
      if authorities != nil || certificate != nil || tls {
        options.fail("--psk-identity: a pre-shared key stands instead of certificates")
      }
      if pskFile == nil { options.fail("--psk-identity needs --psk-file") }
    } else if pskFile != nil {
      options.fail("--psk-file needs --psk-identity")
    }
    for path in [authorities, certificate] {
      if let path, access(path.c, R_OK) != 0 {
        options.fail(SystemError("read", path).description)
      }
    }
    // Read by OpenSSL, at each attempt to connect.
    if let key { check(key, "--key-file", &options) }
    if let identity, let pskFile {
      security = .preSharedKey(
        identity: identity, key: secret(in: pskFile, "--psk-file", &options) ?? "")
    } else if tls || authorities != nil || certificate != nil {
      security = .certificates(authorities: authorities, certificate: certificate, key: key)
    } else {
      security = .none
    }
    if let passwordFile {
      password = secret(in: passwordFile, "--password-file", &options)
      if username == nil { options.fail("--password-file needs --username") }
    } else if username != nil, let folder = environment("CREDENTIALS_DIRECTORY"),
      exists("\(folder)/mqtt-password")
    {
      password = secret(in: "\(folder)/mqtt-password", "credential mqtt-password", &options)
    } else {
      password = nil
    }
    let usual = if case .none = security { 1883 } else { 8883 }
    port = options.number("port", default: usual, in: 1...65535, "its port; with TLS 8883")
    keepAlive = options.interval(
      "keep-alive", default: .seconds(60), atLeast: .seconds(5), atMost: .seconds(65535),
      "tell a broker that is gone after this time")
  }

  var address: Text { "\(host):\(port)" }
}

/// The first line of a file that only its owner and group may read.
private func secret(in path: Text, _ option: StaticString, _ options: inout Options) -> Text? {
  do throws(SystemError) {
    let file = try openSecret(path)
    guard try isPrivate(file, path, option, &options) else { return nil }
    let line = try file.readToEnd(limit: 4096, path).prefix { $0 != UInt8(ascii: "\n") }
    guard !line.isEmpty, !line.contains(0) else {
      options.fail("\(option) \(path): its first line is empty, or not a text")
      return nil
    }
    return Text(line)
  } catch {
    options.fail("\(option): \(error.description)")
    return nil
  }
}

/// The same for a file that another will read.
private func check(_ path: Text, _ option: StaticString, _ options: inout Options) {
  do throws(SystemError) {
    _ = try isPrivate(try openSecret(path), path, option, &options)
  } catch {
    options.fail("\(option): \(error.description)")
  }
}

/// Opens what nobody else shall see; from here on nobody finds it in a core dump either.
private func openSecret(_ path: Text) throws(SystemError) -> FileDescriptor {
  guard clinux_forbid_core_dumps() == 0 else { throw SystemError("prctl PR_SET_DUMPABLE") }
  return try FileDescriptor.open(path)
}

private func isPrivate(
  _ file: borrowing FileDescriptor, _ path: Text, _ option: StaticString, _ options: inout Options
) throws(SystemError) -> Bool {
  var status = stat()
  guard fstat(file.raw, &status) == 0 else { throw SystemError("fstat", path) }
  guard status.st_mode & 0o007 == 0 else {
    options.fail("\(option) \(path): everybody may read it; chmod o= \(path)")
    return false
  }
  return true
}
