import Foundation
import HTTPServer
import TestSupport
import Testing

@Suite("OpenMetrics and gzip, where they are asked for", .timeLimit(.minutes(2)))
struct NegotiationTests {
  /// As Prometheus asks.
  private static let prometheus =
    "application/openmetrics-text;version=1.0.0;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
    + "text/plain;version=0.0.4;q=0.4,*/*;q=0.3"

  @Test(arguments: [
    (prometheus, true), ("application/openmetrics-text", true), ("APPLICATION/OpenMetrics-text ; version=1.0.0", true),
    ("text/plain, application/openmetrics-text", true), ("", false), ("*/*", false), ("text/plain", false),
    ("text/plain;q=0.9,application/openmetrics-text;q=0.8", false), ("application/openmetrics-text;q=0", false),
    ("application/openmetrics-text;version=0.0.1", false), ("application/openmetrics-text;q=much", false),
  ])
  func `metrics are OpenMetrics for who prefers that`(accept: String, isOpenMetrics: Bool) throws {
    let server = try RunningServer(in: TemporaryFolder())
    let answer = try server.get("/metrics", fields: accept.isEmpty ? "" : "Accept: \(accept)\r\n")
    #expect(answer.status == 200)
    #expect(answer.field("Content-Type")?.hasPrefix("application/openmetrics-text; version=1.0.0") == isOpenMetrics)
    #expect(answer.field("Vary") == "Accept, Accept-Encoding")
    #expect(answer.body.hasSuffix("\n# EOF\n") == isOpenMetrics)
    #expect(answer.body.contains("# TYPE revoked_webhooks counter\n") == isOpenMetrics)
    #expect(answer.body.contains("# TYPE revoked_webhooks_total counter\n") != isOpenMetrics)
  }

  @Test func `the reference parser of OpenMetrics takes the page, and finds the same samples`() throws {
    let server = try RunningServer(in: TemporaryFolder(), environment: ReplayTests.audit)
    #expect(try server.post(Vector.sessionRevoked.text, signature: Vector.sessionRevoked.signature).status == 200)
    let page = try server.get("/metrics", fields: "Accept: application/openmetrics-text\r\n").body
    let plain = try server.get("/metrics").body
    let program = """
      import sys
      from prometheus_client.openmetrics.parser import text_string_to_metric_families
      for family in text_string_to_metric_families(sys.stdin.read()):
          for sample in family.samples:
              print(sample.name)
      """
    let process = Executable.process(["-c", program], ["PYTHONPATH": Schemathesis.packages.path])
    process.executableURL = URL(filePath: "/usr/bin/python3")
    let folder = try TemporaryFolder()
    process.standardInput = FileHandle(forReadingAtPath: try folder.write(page, to: "page"))
    let result = try Executable.finish(process)
    #expect(result.status == 0, "\(result.errors)")
    let names = { (text: String) in Set(text.split(separator: "\n").map { $0.prefix { $0 != "{" && $0 != " " } }) }
    #expect(names(result.output) == names(plain).subtracting(["#"]))
  }

  /// The answer's body, by a program that reads gzip. It is asked as a client asks.
  private func fetched(_ server: RunningServer, _ path: String, _ fields: [String]) throws -> (
    head: String, body: String
  ) {
    let arguments =
      fields.flatMap { ["-H", $0] } + ["-s", "-D", "/dev/stderr", "--compressed", server.privateAddress.url + path]
    let result = try Program.run("/usr/bin/curl", arguments)
    return (result.errors, result.output)
  }

  @Test(arguments: [
    ("/metrics", "text/plain"), ("/", "text/html"), ("/page/page.js", "*/*"), ("/v1/events", "*/*"),
  ])
  func `what is long comes in gzip, and is the same`(path: String, accept: String) throws {
    let store = try SeededStore(events: 10)
    let server = try RunningServer(in: store.folder)
    let plain = try server.get(path, fields: "Accept: \(accept)\r\n")
    let (head, body) = try fetched(server, path, ["Accept: \(accept)", "Accept-Encoding: deflate;q=1, gzip;q=0.5"])
    #expect(head.contains("\r\nContent-Encoding: gzip\r\n"))
    #expect(head.components(separatedBy: "Content-Length:").count == 2)
    #expect(head.contains("\r\nContent-Type: \(try #require(plain.field("Content-Type")))\r\n"))
    let length = head.firstMatch(of: /Content-Length: (\d+)/).flatMap { Int($0.output.1) }
    #expect(try #require(length) < body.utf8.count / 2)
    // The metrics have moved on.
    let isSame =
      path == "/metrics" ? body.hasPrefix("# HELP revoked_build_info ") && body.hasSuffix("\n") : body == plain.body
    #expect(isSame)
  }

  @Test func `what is short, or not asked for in gzip, comes as it is`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    for (path, coding) in [
      ("/v1/status", "gzip"), ("/readyz", "gzip"), ("/metrics", "gzip;q=0"), ("/metrics", "identity, br"),
      ("/metrics", "*"),
    ] {
      let answer = try server.get(path, fields: "Accept-Encoding: \(coding)\r\n")
      #expect(answer.status == 200)
      #expect(answer.field("Content-Encoding") == nil, "\(path) \(coding)")
    }
  }
}
