import Foundation
import HTTPServer
import TestSupport
import Testing

@Suite("Forwarding to a hostile endpoint", .timeLimit(.minutes(10)))
struct HostileEndpointTests {
  private static func handler(_ url: String) -> [String: String] {
    let keys = [
      "KIND": "forward", "URL": url, "SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "TIMEOUT": "1s",
      "CONCURRENCY": "32", "MAX_ATTEMPTS": "1",
    ]
    return Dictionary(uniqueKeysWithValues: keys.map { ("REVOKED_HANDLERS_PEER_\($0)", $1) })
  }

  /// Posts events, and returns once each was delivered or is a dead letter. Meanwhile every look-up must be answered.
  private static func deliver(_ count: Int, by server: RunningServer) throws {
    let url = server.address.url + "/webhooks/dynamic"
    let sent = try Executable.run("send", "--count", "\(count)", "--concurrency", "4", "--url", url)
    #expect(sent.status == 0, "\(sent.errors)")
    // The deadline of an attempt and a second more, 32 at a time.
    let isDone = try eventually(within: .seconds(10 + 2 * count / 32)) {
      let start = ContinuousClock.now
      #expect(try server.get("/v1/sessions/\(DeliveryTests.session)").status == 200)
      // The attempts have one second each, a thousand of them.
      #expect(start.duration(to: .now) < .seconds(8))
      let delivered = try server.metric(#"revoked_deliveries_total{handler="peer",outcome="delivered"}"#) ?? 0
      let dead = try server.metric(#"revoked_dead_letters{handler="peer"}"#) ?? 0
      return delivered + dead == Double(count)
    }
    if !isDone { Issue.record("\(try server.get("/metrics").body)") }
  }

  @Test(arguments: [false, true])
  func `ends every delivery in bounded memory, and nothing else waits`(https: Bool) throws {
    let folder = try TemporaryFolder()
    var random = SplitMix(seed: LongRun.seed(for: "answers to a forward handler"))
    let count = LongRun.isAsked ? 20_000 : 500
    var lines = ""
    for index in 0..<count {
      if index % 20 == 0 {
        let (start, piece, _) = EndpointAnswers.endless[index / 20 % EndpointAnswers.endless.count]
        lines += try EndpointAnswers.line(Array((start + piece).utf8), ["x-repeat": "\(start.utf8.count)"])
      } else {
        let end = ["close", "reset", "hold", "keep"].randomElement(using: &random) ?? "close"
        lines += try EndpointAnswers.line(EndpointAnswers.mutated(&random), ["x-end": end])
      }
    }
    let answers = try folder.write(lines, to: "answers")
    let endpoint = try Endpoint(["--answers", answers] + (https ? ["--tls", "127.0.0.1"] : []))
    var settings = Self.handler("\(https ? "https" : "http")://127.0.0.1:\(endpoint.port)/hook")
    if https { settings["REVOKED_TLS_CA_FILE"] = endpoint.authority }
    let server = try RunningServer(in: folder, environment: settings)
    let memory = ProcessMemory(of: "\(server.processIdentifier)")
    let before = try memory.resetPeak()
    try Self.deliver(count, by: server)
    #expect(try memory.peak() - before < 40_000_000)
    // Some of both kinds, else the answers are all alike.
    let delivered = try server.metric(#"revoked_deliveries_total{handler="peer",outcome="delivered"}"#) ?? 0
    #expect(delivered > Double(count) / 10 && delivered < Double(count) * 0.9)
    server.signal(SIGTERM)
    #expect(server.end() == 0)
  }

  @Test(.enabled(if: TinyDisk.isPossible, "mounting over /etc/resolv.conf needs root"))
  func `keeps the deadline while the look-up of its name hangs`() throws {
    let folder = try TemporaryFolder()
    // A name server that says nothing.
    let silent = try SilentNameServer()
    let settings = try folder.write("nameserver \(silent.address)\n", to: "resolv.conf")
    let wrapper = #"mount --bind "$0" /etc/resolv.conf && exec "$@""#
    let server = try RunningServer(
      in: folder, environment: Self.handler("https://endpoint.example/hook"),
      through: ["/usr/bin/unshare", "--mount", "sh", "-c", wrapper, settings])
    try Self.deliver(64, by: server)
    #expect(silent.wasAsked)
    #expect(try server.metric(#"revoked_dead_letters{handler="peer"}"#) == 64)
    server.signal(SIGTERM)
    #expect(server.end() == 0)
  }
}

/// A port 53 that takes questions and says nothing, on a loopback address that nothing else uses.
private final class SilentNameServer {
  let address = "127.53.53.53"
  private let descriptor: Int32

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = in_port_t(53).bigEndian
    name.sin_addr.s_addr = UInt32(0x7F35_3535).bigEndian
    let isBound = unsafe withUnsafePointer(to: &name) { name in
      // The same bytes; sockaddr is their general form.
      unsafe name.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isBound else { throw POSIXError(.init(rawValue: errno) ?? .EADDRNOTAVAIL) }
  }

  deinit { close(descriptor) }

  var wasAsked: Bool {
    var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&wanted, 1, 0) == 1
  }
}
