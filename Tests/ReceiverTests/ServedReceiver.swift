import Foundation
import HTTPServer
import Logging
import Receiver
import Signature
import TestSupport
import Testing

/// A receiver with its two listeners on ports that the kernel picks. Closed by `stop`.
struct ServedReceiver {
  static let token = "a-token-of-22-bytes-xx"

  let folder: TemporaryFolder
  let receiver: Receiver

  init(
    in folder: TemporaryFolder, token: String? = nil, _ configure: (inout ReceiverConfiguration) -> Void = { _ in }
  ) throws {
    self.folder = folder
    var configuration = try ReceiverConfiguration(secrets: [Secret(Vector.secret)])
    configuration.listen = .tcp(host: "127.0.0.1", port: 0)
    configuration.privateListen = .tcp(host: "127.0.0.1", port: 0)
    configuration.data = folder.data
    configuration.privateToken = try token.map { try Secret($0) }
    configure(&configuration)
    receiver = try Receiver(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    receiver.start()
  }

  /// Has the session revoked by a signed event.
  func revoke(
    _ session: String, event: String = UUID().uuidString.lowercased(), createdAt: String? = nil
  ) throws {
    let created = createdAt.map { #","createdAt":"\#($0)""# } ?? ""
    let body =
      #"{"eventId":"\#(event)","eventName":"user.session.revoked","timestamp":"2026-10-01T09:00:00.348Z","#
      + #""data":{"id":"\#(session)"\#(created)}}"#
    let code = try HMACSHA256(key: Secret(Vector.secret)).code(for: Array(body.utf8).span)
    let answer = try exchange(
      "POST /webhooks/dynamic HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        + "\(SignatureHeader.name): \(SignatureHeader.value(for: code))\r\nContent-Length: "
        + "\(body.utf8.count)\r\n\r\n\(body)",
      receiver.address)
    try #require(answer.contains("200 OK"))
  }

  /// The whole answer to a request on the private listener.
  func ask(_ method: String, _ path: String, fields: [String] = [], body: String? = nil) throws -> String {
    let length = body.map { "Content-Length: \($0.utf8.count)\r\n" } ?? ""
    let lines = fields.map { $0 + "\r\n" }.joined()
    return try exchange(
      "\(method) \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\(lines)\(length)\r\n\(body ?? "")",
      receiver.privateAddress)
  }

  private func exchange(_ request: String, _ address: ListenAddress?) throws -> String {
    let client = try Client(address)
    client.send(request)
    return client.read()
  }
}

extension String {
  /// Of an answer.
  var status: Int? { hasPrefix("HTTP/1.1 ") ? Int(dropFirst(9).prefix(3)) : nil }

  func field(_ name: String) -> String? {
    components(separatedBy: "\r\n").first { $0.hasPrefix("\(name): ") }.map { String($0.dropFirst(name.count + 2)) }
  }

  var content: String { range(of: "\r\n\r\n").map { String(self[$0.upperBound...]) } ?? "" }
}
