import Foundation
import HTTPServer
import TestSupport
import Testing

extension StandInDynamic {
  /// What has a server look after this environment, every second.
  var settings: [String: String] {
    [
      "DYNAMIC_API_TOKEN": state.token, "DYNAMIC_ENVIRONMENT_ID": Self.environment,
      "REVOKED_DYNAMIC_API_URL": apiURL, "REVOKED_DYNAMIC_CHECK_EVERY": "1s",
    ]
  }

  func server(in folder: TemporaryFolder, _ more: [String: String] = [:]) throws -> RunningServer {
    try RunningServer(in: folder, environment: settings.merging(more) { $1 })
  }

  /// A store that has caught up, as after some time of work.
  func prepareStore(in folder: TemporaryFolder) throws {
    let server = try server(in: folder)
    #expect(server.log.wait { $0.contains("the new store has caught up with Dynamic") })
    server.signal(SIGTERM)
    #expect(server.exit() == 0)
  }
}

extension RunningServer {
  private struct Revoked: Decodable {
    let revoked: [String]
  }

  /// How many of the sessions are refused.
  func refused(_ revoked: [StandInDynamic.Revoked]) throws -> Int {
    var count = 0
    for start in stride(from: 0, to: revoked.count, by: 1000) {
      let list = revoked[start..<min(start + 1000, revoked.count)].map { #""\#($0.session)""# }.joined(separator: ",")
      let body = #"{"sessionIds":[\#(list)]}"#
      let answer = try answer(
        to: "POST /v1/sessions/check HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
          + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)", on: privateAddress)
      try #require(answer.status == 200, "\(answer.body)")
      count += try JSONDecoder().decode(Revoked.self, from: Data(answer.body.utf8)).revoked.count
    }
    return count
  }

  /// The sessions in the feed, as often as they are there.
  func fed() throws -> [String] {
    let feed = try get("/v1/revocations")
    try #require(feed.status == 200)
    return feed.body.components(separatedBy: #""sessionId":""#).dropFirst().map { String($0.prefix(36)) }
  }

  /// What a handler of kind log wrote, as often as it did.
  func handled(by handler: String) -> [String] {
    log.text.split(separator: "\n").filter { $0.contains(#""handler":"\#(handler)""#) }.compactMap { line in
      line.range(of: #""sessionId":""#).map { String(line[$0.upperBound...].prefix(36)) }
    }
  }

  func count(inLog text: String) -> Int { log.text.components(separatedBy: text).count - 1 }
}
