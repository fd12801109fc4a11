import Foundation
import TestSupport
import Testing

@Suite("The routes that show what is stored, and change dead letters", .timeLimit(.minutes(3)))
struct InspectionRouteTests {
  /// Four events that `audit` gave up, and a fifth that cannot be decoded.
  let store: SeededStore
  let server: RunningServer

  init() throws {
    store = try SeededStore(events: 4)
    server = try RunningServer(in: store.folder, environment: ["REVOKED_PRIVATE_TOKEN": ForwardAuthRecipeTests.token])
  }

  private func ask(_ method: String, _ path: String, _ body: String = "") throws -> Answer {
    try server.answer(
      to:
        "\(method) \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Revoked-Token: "
        + "\(ForwardAuthRecipeTests.token)\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)", on: server.privateAddress)
  }

  /// A value for each line, so that it does not matter how a text is escaped.
  private func values(_ lines: String) throws -> [NSDictionary] {
    try lines.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? NSDictionary)
    }
  }

  private func numbers(_ path: String) throws -> [Int] {
    let answer = try ask("GET", path)
    #expect(answer.status == 200)
    return try values(answer.body).compactMap { $0["seq"] as? Int }
  }

  @Test func `lists and single ones are what the commands print`() throws {
    for (path, command) in [
      ("/v1/events", ["events", "list", "--json"]), ("/v1/events/1", ["events", "show", "--json", "1"]),
      ("/v1/events/5", ["events", "show", "--json", "5"]),
    ] {
      let answer = try ask("GET", path)
      #expect(answer.status == 200)
      let printed = try Executable.run(command + ["--data", store.folder.data])
      #expect(try values(answer.body) == values(printed.output), "\(path)")
    }
    let letters = try values(ask("GET", "/v1/dead-letters").body)
    let printed = try Executable.run(["dead", "list", "--json", "--data", store.folder.data])
    #expect(try letters == values(printed.output).reversed())
    #expect(letters.count == 5)
  }

  @Test
  func `pages follow each other by the last one's number or id, and a session has the event that revoked it`() throws {
    #expect(try numbers("/v1/events?limit=2") == [5, 4])
    #expect(try numbers("/v1/events?limit=2&before=4") == [3, 2])
    #expect(try numbers("/v1/events?before=1") == [])
    #expect(try numbers("/v1/events?session=\(store.sessions[2])") == [3])
    #expect(try numbers("/v1/events?session=\(store.sessions[2].uppercased())&before=4&limit=1") == [3])
    #expect(try numbers("/v1/events?session=\(store.sessions[2])&before=3") == [])
    #expect(try numbers("/v1/events?session=\(UUID().uuidString)") == [])
    try #expect(numbers("/v1/dead-letters?limit=2") == [5, 4])
    #expect(try numbers("/v1/dead-letters?limit=2&before=4/audit") == [3, 2])
    #expect(try numbers("/v1/dead-letters?before=4%2Faudit&limit=1") == [3])
    #expect(try numbers("/v1/dead-letters?before=2") == [1])
  }

  @Test(arguments: [
    ("/v1/events?limit=0", 400), ("/v1/events?limit=1001", 400), ("/v1/events?limit=+1", 400),
    ("/v1/events?limit=1&limit=1", 400), ("/v1/events?before=x", 400), ("/v1/events?session=x", 400),
    ("/v1/events?sesion=x", 400), ("/v1/events?limit", 400), ("/v1/dead-letters?session=x", 400),
    ("/v1/dead-letters?before=/audit", 400), ("/v1/events/6", 404), ("/v1/events/x", 404), ("/v1/events/", 404),
    ("/v1/events/99999999999999999999", 404), ("/v1/dead-letters/1", 404),
  ])
  func `what cannot be read is refused, and what is not there is 404`(path: String, status: Int) throws {
    #expect(try ask("GET", path).status == status)
    #expect(try ask("GET", "/readyz").status == 200)
  }

  @Test func `dead letters are discarded and put back, which leaves a line and wakes the handler`() throws {
    #expect(try ask("POST", "/v1/dead-letters/discard", #"{"ids":["1/audit"]}"#).body == #"{"changed":1}"#)
    // It is none any more, and the event is still there.
    #expect(
      try ask("POST", "/v1/dead-letters/discard", #"{"ids":["1/audit","9/audit","1/x"]}"#).body == #"{"changed":0}"#)
    #expect(try numbers("/v1/events/1") == [1])
    #expect(server.log.wait { $0.contains("dead letters were discarded") })
    // A number alone is all of its event, once.
    #expect(try ask("POST", "/v1/dead-letters/replay", #"{"ids":["2","2/audit","3/audit"]}"#).body == #"{"changed":2}"#)
    #expect(
      server.log.wait {
        $0.contains("dead letters were put back") && $0.contains("count=2") || $0.contains(#""count":2"#)
      })
    #expect(try numbers("/v1/dead-letters") == [5, 4])
    for body in ["", "{}", "[]", #"{"ids":"1"}"#, #"{"ids":[1]}"#, #"{"ids":["x"]}"#, #"{"ids":[],"all":true}"#] {
      #expect(try ask("POST", "/v1/dead-letters/replay", body).status == 400, "\(body)")
    }
    #expect(try ask("GET", "/v1/dead-letters/replay").status == 405)
    #expect(try ask("POST", "/v1/dead-letters").status == 405)
  }

  @Test func `nothing is changed where no private token is configured, nor without it`() throws {
    let body = #"{"ids":["1/audit"]}"#
    let request =
      "POST /v1/dead-letters/discard HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: "
      + "\(body.utf8.count)\r\n\r\n\(body)"
    #expect(try server.answer(to: request, on: server.privateAddress).status == 401)
    server.signal(SIGTERM)
    #expect(server.end() == 0)
    let open = try RunningServer(in: store.folder)
    #expect(try open.answer(to: request, on: open.privateAddress).status == 403)
    #expect(try open.get("/v1/dead-letters").body.split(separator: "\n").count == 5)
  }
}
