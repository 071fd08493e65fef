import Foundation
import Hummingbird

/// What every answer carries, errors too, and who may ask at all.
struct SecurityHeaders<Context: RequestContext>: RouterMiddleware {
  /// Whether any name may be used for this server.
  let anyHost: Bool

  /// Nothing from another host, nothing inline, nobody's frame.
  private static var policy: String {
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
      + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  }

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    var response = try await answer(request, context, next)
    response.headers[.contentSecurityPolicy] = Self.policy
    response.headers[.xContentTypeOptions] = "nosniff"
    response.headers[values: .init("Referrer-Policy")!] = ["no-referrer"]
    response.headers[values: .init("Cross-Origin-Resource-Policy")!] = ["same-origin"]
    response.headers[values: .init("Cross-Origin-Opener-Policy")!] = ["same-origin"]
    if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
    return response
  }

  private func answer(
    _ request: Request, _ context: Context, _ next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    // A page of another host whose name was made to lead here could read what is for this machine
    // alone: it comes with its own name.
    guard anyHost || ListenAddress.isLoopback(Self.host(of: request)) else {
      return .failure(
        .misdirectedRequest, "ask for 127.0.0.1 or localhost, or start with --listen-anywhere")
    }
    do {
      return try await next(request, context)
    } catch let error as HTTPError {
      return .failure(
        error.status, error.body ?? "\(request.method) \(request.uri.path): no such thing")
    }
  }

  private static func host(of request: Request) -> String {
    let authority = request.head.authority ?? ""
    if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
      return String(authority[authority.index(after: authority.startIndex)..<end])
    }
    return String(authority.prefix { $0 != ":" })
  }
}

extension Response {
  /// `{"error": "..."}`
  static func failure(_ status: HTTPResponse.Status, _ words: String) -> Response {
    .json(["error": words], status: status)
  }

  static func json(_ content: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
    guard let json = try? JSONEncoder().encode(content) else {
      preconditionFailure("numbers that are none are kept out where they come in")
    }
    return Response(
      status: status, headers: [.contentType: "application/json"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: json)))
  }
}
