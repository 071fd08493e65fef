import Foundation
import FoundationNetworking
import Testing

/// Requests to a database, as its own clients make them.
enum HTTP {
  struct Answer {
    let status: Int
    let body: Data
    var text: String { String(decoding: body, as: UTF8.self) }
  }

  static func get(_ address: String, user: String? = nil) -> Answer? { send(address, user: user) }

  static func post(_ address: String, _ body: String, user: String? = nil) -> Answer? {
    send(address, body: body, user: user)
  }

  /// `user` is `name:password`. nil: nobody answers.
  private static func send(_ address: String, body: String? = nil, user: String?) -> Answer? {
    guard let url = URL(string: address) else { return nil }
    var request = URLRequest(url: url, timeoutInterval: 20)
    request.httpMethod = body == nil ? "GET" : "POST"
    request.httpBody = body.map { Data($0.utf8) }
    request.setValue("application/x-www-form-urlencoded", forHTTPHeaderField: "Content-Type")
    if let user {
      request.setValue(
        "Basic \(Data(user.utf8).base64EncodedString())", forHTTPHeaderField: "Authorization")
    }
    let done = DispatchSemaphore(value: 0)
    let box = Box()
    URLSession.shared.dataTask(with: request) { data, response, _ in
      if let response = response as? HTTPURLResponse {
        box.answer = Answer(status: response.statusCode, body: data ?? Data())
      }
      done.signal()
    }.resume()
    done.wait()
    return box.answer
  }

  /// Written before the semaphore is signalled, read after it.
  private final class Box: @unchecked Sendable { var answer: Answer? }

  /// For the value of a form or a query.
  static func encoded(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
  }
}
