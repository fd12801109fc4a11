import Foundation
import HTTPServer
import TestSupport
import Testing

/// A signed delivery whose second half is still to come. The server has its head: it has asked for the rest.
struct HalfSentDelivery {
  private let client: Client
  private let rest: String

  init(to address: ListenAddress, _ vector: Vector = .sessionRevoked) throws {
    client = try Client(address)
    client.send(
      "POST /webhooks/dynamic HTTP/1.1\r\nHost: hooks.example.com\r\nExpect: 100-continue\r\n"
        + "x-dynamic-signature-256: \(vector.signature)\r\nContent-Length: \(vector.text.utf8.count)\r\n\r\n")
    try #require(client.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
    // The vectors are ASCII.
    let half = vector.text.index(vector.text.startIndex, offsetBy: vector.text.count / 2)
    client.send(String(vector.text[..<half]))
    rest = String(vector.text[half...])
  }

  /// Sends the second half and reads to the end of the connection.
  func finish() -> Answer? {
    client.send(rest)
    return Answer(client.read())
  }

  /// What comes until the server closes.
  func read() -> String { client.read() }
}
