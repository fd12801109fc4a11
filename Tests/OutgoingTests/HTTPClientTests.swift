import Foundation
import Outgoing
import TestSupport
import Testing

@Suite("An outgoing request", .timeLimit(.minutes(2)))
struct HTTPClientTests {
  @Test(
    arguments: [
      ("HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nok", 200, "b", "ok"),
      ("HTTP/1.1 200 OK\nA:b \nContent-Length: 2\n\nok", 200, "b", "ok"),
      ("HTTP/1.1 299\r\na:  b\t\r\nContent-Length: 2\r\n\r\nok", 299, "b", "ok"),
      ("HTTP/1.0 404 No\r\n\r\nto the end", 404, nil, "to the end"),
      ("HTTP/1.1 100 Continue\r\nA: no\r\n\r\nHTTP/1.1 204 x\r\n\r\n", 204, nil, ""),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: trailer\r\n\r\n", 200, nil, "ok"),
    ] as [(String, Int, String?, String)])
  func `is answered by status and fields, whatever bytes stand around them`(
    text: String, status: Int, field: String?, body: String
  ) async throws {
    let response = try await Endpoint().response(text)
    #expect(response.status == status)
    #expect(response.value(of: "A") == field)
    #expect(String(decoding: response.body, as: UTF8.self) == body)
    #expect(response.cut == nil)
  }

  @Test func `takes a field in Latin-1 as it comes`() async throws {
    let answer = Array("HTTP/1.1 200 OK\r\nServer: ".utf8) + [0xE4, 0xF6] + Array("\r\nContent-Length: 0\r\n\r\n".utf8)
    #expect(try await Endpoint().response(answer).status == 200)
  }

  /// A libcurl of before 8.3.0 would otherwise follow a pointer into the fields of the exchange before.
  @Test func `takes a first field that begins with a space, exchange after exchange`() async throws {
    let endpoint = try Endpoint()
    for _ in 1...20 {
      _ = try await endpoint.response("HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 0\r\n\r\n")
      _ = try? await endpoint.response("HTTP/1.1 200 OK\r\n folded: x\r\nContent-Length: 0\r\n\r\n")
    }
  }

  @Test func `uses a connection again`() async throws {
    let endpoint = try Endpoint()
    for _ in 1...5 {
      _ = try await endpoint.response(EndpointAnswers.good[0], ["x-end": "keep"])
    }
    let counts = try await endpoint.counts()
    #expect(counts.requests == 5 && counts.connections == 1)
  }

  @Test func `finds a kept connection dead, and makes another, without sending twice`() async throws {
    let endpoint = try Endpoint()
    for _ in 1...3 {
      // Closed behind an answer that lets it be kept.
      _ = try await endpoint.response(EndpointAnswers.good[0], ["x-end": "close"])
      while try await endpoint.counts().open > 0 {}
    }
    #expect(try await endpoint.counts().requests == 3)
  }

  @Test(arguments: [(false, 2), (true, 3)])
  func `is sent again on another connection only if it may arrive twice, and once`(isIdempotent: Bool, requests: Int)
    async throws
  {
    let endpoint = try Endpoint()
    _ = try await endpoint.response(EndpointAnswers.good[0], ["x-end": "keep"])
    // Read, and closed without an answer.
    var request = endpoint.request("", ["x-end": "close"])
    request.isIdempotent = isIdempotent
    let outcome = await Outcome(of: request)
    #expect(outcome.error?.mayHaveArrived == true)
    #expect(try await endpoint.counts().requests == requests)
  }

  @Test
  func `that nobody answers says whether it may have arrived, and nothing of the URL behind the host`() async throws {
    let silent = try SilentListener()
    var request = OutgoingRequest(.post, "http://127.0.0.1:\(silent.port)/path?token=hidden")
    request.limits.time = .milliseconds(300)
    var late = await Outcome(of: request)
    // A busy machine may need longer than that to send it.
    while late.error?.mayHaveArrived == false, request.limits.time < .seconds(30) {
      request.limits.time *= 10
      late = await Outcome(of: request)
    }
    #expect(late.error?.mayHaveArrived == true)
    #expect(late.error?.description.contains("hidden") == false)
    let refused = await Outcome(of: OutgoingRequest(.post, "http://127.0.0.1:1/path?token=hidden"))
    #expect(refused.error?.mayHaveArrived == false)
    #expect(refused.error?.description.contains("hidden") == false)
  }

  @Test(arguments: [0, 1, 10, 100])
  func `ends when its task is cancelled, whenever that is, and its connection with it`(yields: Int) async throws {
    let endpoint = try Endpoint()
    let request = endpoint.request("", ["x-end": "hold"])
    let task = Task { await Outcome(of: request) }
    for _ in 0..<yields { await Task.yield() }
    task.cancel()
    let outcome = await task.value
    #expect(outcome.error?.isCancelled == true)
    while try await endpoint.counts().open > 0 {}
  }

  @Test func `that is cancelled behind a whole head has its answer`() async throws {
    let endpoint = try Endpoint()
    let request = endpoint.request("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", ["x-end": "hold"])
    // Each time a little later, until the head is here before the cancellation.
    for waits in 0... {
      let task = Task { await Outcome(of: request) }
      for _ in 0...waits { _ = try await endpoint.counts() }
      task.cancel()
      let outcome = await task.value
      guard let response = outcome.response else { continue }
      #expect(response.status == 200)
      #expect(response.cut?.isCancelled == true)
      return
    }
  }

  @Test func `reaches a unix socket and an IPv6 address`() async throws {
    let folder = try TemporaryFolder()
    let local = try Endpoint(["--host", "unix:\(folder.path)/socket"])
    var request = local.request(EndpointAnswers.good[0])
    request.url = "http://localhost/"
    request.socketPath = "\(folder.path)/socket"
    #expect(try await HTTPClient.shared.response(to: request).status == 200)
    let v6 = try Endpoint(["--host", "::1"])
    request = v6.request(EndpointAnswers.good[0])
    request.url = "http://[::1]:\(v6.port)/"
    #expect(try await HTTPClient.shared.response(to: request).status == 200)
  }

  @Test(arguments: ["ftp://127.0.0.1/", "file:///etc/passwd", "", "http://", "gopher://127.0.0.1:1/"])
  func `is refused before it is sent when it is none`(url: String) async throws {
    let outcome = await Outcome(of: OutgoingRequest(.get, url))
    #expect(outcome.error?.mayHaveArrived == false)
    var request = OutgoingRequest(.get, "http://127.0.0.1:1/")
    request.fields = [("a", "b\r\nc: d")]
    #expect(await Outcome(of: request).error?.description == "a header field holds a control character")
  }
}

@Suite("TLS of an outgoing request", .timeLimit(.minutes(2)))
struct OutgoingTLSTests {
  private func outcome(_ endpoint: Endpoint, _ authorities: String?) async -> Outcome {
    var request = endpoint.request(EndpointAnswers.good[0], https: true)
    request.authorities = authorities
    return await Outcome(of: request)
  }

  @Test func `takes a certificate of the authority that is named, and of no other`() async throws {
    let endpoint = try Endpoint(["--tls", "127.0.0.1"])
    let other = try Endpoint(["--tls", "127.0.0.1"])
    #expect(await outcome(endpoint, endpoint.authority).response?.status == 200)
    for authorities in [nil, other.authority, "/nowhere/ca.pem"] {
      let refused = await outcome(endpoint, authorities)
      #expect(refused.response == nil && refused.error?.mayHaveArrived == false, "\(refused)")
    }
    #expect(try await endpoint.counts(https: true).requests == 1)
  }

  @Test(arguments: ["127.0.0.2", "example.com"])
  func `refuses a certificate for another name, though its authority is trusted`(name: String) async throws {
    let endpoint = try Endpoint(["--tls", name])
    let refused = await outcome(endpoint, endpoint.authority)
    #expect(refused.response == nil && refused.error?.mayHaveArrived == false)
    #expect(refused.error?.description.contains("name") == true, "\(refused)")
  }

  @Test func `refuses TLS 1.1`() async throws {
    let endpoint = try Endpoint(["--tls", "127.0.0.1", "--oldest-tls"])
    let refused = await outcome(endpoint, endpoint.authority)
    #expect(refused.response == nil && refused.error?.mayHaveArrived == false, "\(refused)")
  }
}
