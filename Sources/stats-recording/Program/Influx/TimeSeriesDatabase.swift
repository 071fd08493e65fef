import AsyncHTTPClient
import Foundation
import NIOSSL

/// A database that takes line protocol by HTTP.
struct TimeSeriesDatabase: Sendable {
  let address: String
  let authorization: String?
  let compresses: Bool
  private let client: HTTPClient

  init(_ options: DatabaseOptions) throws {
    address = options.writeAddress
    authorization = try options.authorization()
    compresses = !options.noGzip
    var configuration = HTTPClient.Configuration()
    // A POST that is sent elsewhere becomes a GET: better told than followed.
    configuration.redirectConfiguration = .disallow
    configuration.timeout.connect = .seconds(5)
    if let authorities = options.databaseCaFile {
      var settings = TLSConfiguration.makeClientConfiguration()
      settings.trustRoots = .file(authorities)
      configuration.tlsConfiguration = settings
    }
    // Else it tries to connect in silence until the request's time is over.
    configuration.connectionPool.retryConnectionEstablishment = false
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  func close() async throws { try await client.shutdown() }

  /// InfluxDB itself gives up after 10 s.
  static let timeoutSeconds: Int64 = 30
  static let greatestReply = 65536

  /// Posts the lines. Any trouble on the way is a reply, too.
  func write(_ lines: ArraySlice<UInt8>) async -> DatabaseReply {
    var request = HTTPClientRequest(url: address)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "text/plain; charset=utf-8")
    if let authorization { request.headers.add(name: "Authorization", value: authorization) }
    if compresses, let compressed = gzip(lines) {
      request.headers.add(name: "Content-Encoding", value: "gzip")
      request.body = .bytes(compressed, length: .known(Int64(compressed.count)))
    } else {
      request.body = .bytes(Array(lines), length: .known(Int64(lines.count)))
    }
    do {
      let response = try await client.execute(request, timeout: .seconds(Self.timeoutSeconds))
      // A long reply is cut: its status is what counts.
      var body: [UInt8] = []
      for try await part in response.body where body.count < Self.greatestReply {
        body += part.readableBytesView
      }
      return DatabaseReply(
        status: UInt(response.status.code), body: body,
        retryAfter: response.headers.first(name: "Retry-After"))
    } catch {
      return .later(words: Self.words(error), afterSeconds: nil)
    }
  }

  private static func words(_ error: any Error) -> String {
    switch error as? HTTPClientError {
    case .connectTimeout?, .deadlineExceeded?, .readTimeout?: "no answer in time"
    case .remoteConnectionClosed?: "it closed the connection"
    case let other?: "\(other)"
    case nil: tlsWords("\(error)") ?? "\(error)"
    }
  }

  /// What BoringSSL means, where a person has to mend it.
  private static func tlsWords(_ error: String) -> String? {
    let remedies = [
      "CERTIFICATE_VERIFY_FAILED":
        "no trusted authority has signed its certificate, or it has expired; name yours with --database-ca-file",
      "failedToValidateHostname": "its certificate is for another name than the one in --url",
      "WRONG_VERSION_NUMBER": "it does not speak TLS; is it http:// in --url?",
    ]
    return remedies.first { error.contains($0.key) }?.value
  }
}
