import Foundation
import Outgoing
import TestSupport
import Testing

/// What no endpoint can do to the process, whatever it answers.
@Suite("A hostile endpoint", .timeLimit(.minutes(10)), .serialized)
struct HostileEndpointTests {
  private static let mostMemory = 40_000_000

  /// Where a head ends, if it does: behind a line feed and an empty line.
  private static func hasWholeHead(_ bytes: [UInt8]) -> Bool {
    let text = bytes.filter { $0 != 0x0D }
    return zip(text, text.dropFirst()).contains { $0 == 0x0A && $1 == 0x0A }
  }

  @Test(arguments: [false, true])
  func `gets each of 1,000 mutated answers taken or refused in time, in bounded memory`(https: Bool) async throws {
    let endpoint = try Endpoint(https ? ["--tls", "127.0.0.1"] : [])
    var random = SplitMix(seed: LongRun.seed(for: "mutated answers"))
    let count = LongRun.isAsked ? 100_000 : 1000
    let memory = ProcessMemory()
    let before = try memory.resetPeak()
    var (responses, failures) = (0, 0)
    for start in stride(from: 0, to: count, by: 500) {
      let requests = (start..<start + 500).map { _ in
        let end = ["close", "close", "close", "reset", "hold", "keep"].randomElement(using: &random) ?? "close"
        var request = endpoint.request(EndpointAnswers.mutated(&random), ["x-end": end], https: https)
        request.limits.time = .milliseconds(end == "hold" || end == "keep" ? 200 : 5000)
        return request
      }
      await Outcome.all(of: requests) { place, outcome in
        let request = requests[place]
        // One that nobody ends lasts as long as the endpoint holds it: for ever.
        #expect(outcome.time < request.limits.time + .seconds(10), "\(request.body) \(outcome)")
        guard let response = outcome.response else { return failures += 1 }
        responses += 1
        #expect((200...999).contains(response.status), "\(request.body)")
        #expect(Self.hasWholeHead(request.body), "\(request.body)")
        #expect(response.body.count <= request.limits.bodyBytes)
      }
    }
    // Else the mutations are all of one kind.
    #expect(responses > count / 10 && failures > count / 10, "\(responses) \(failures)")
    #expect(try memory.peak() - before < Self.mostMemory)
  }

  @Test(arguments: [false, true])
  func `that stops at any byte has answered only if the head was whole`(https: Bool) async throws {
    let endpoint = try Endpoint(https ? ["--tls", "127.0.0.1"] : [])
    let cases = EndpointAnswers.good.flatMap { answer in
      let bytes = Array(answer.utf8)
      let interim = answer.range(of: "HTTP/1.1 201").map { answer[..<$0.lowerBound].utf8.count } ?? 0
      return (0...bytes.count).map { cut in
        (bytes[..<cut].map { $0 }, Self.hasWholeHead(Array(bytes[interim..<max(interim, cut)])))
      }
    }
    let requests = cases.map { endpoint.request($0.0, https: https) }
    await Outcome.all(of: requests) { place, outcome in
      #expect(
        (outcome.response != nil) == cases[place].1,
        "\(String(decoding: requests[place].body, as: UTF8.self)) \(outcome)")
      if let error = outcome.error { #expect(error.mayHaveArrived) }
      if place + 1 < cases.count, cases[place].1, cases[place + 1].0.count > cases[place].0.count,
        String(decoding: cases[place].0, as: UTF8.self).contains("Content-Length: 2\r")
      {
        #expect(outcome.response?.cut != nil)
      }
    }
  }

  @Test(arguments: [false, true])
  func `whose answer never ends is left when the bound is reached`(https: Bool) async throws {
    let endpoint = try Endpoint(https ? ["--tls", "127.0.0.1"] : [])
    let cases = EndpointAnswers.endless
    let memory = ProcessMemory()
    let before = try memory.resetPeak()
    let requests = (0..<4).flatMap { round in
      cases.map { start, piece, _ in
        var request = endpoint.request(start + piece, ["x-repeat": "\(start.utf8.count)"], https: https)
        request.limits.keepsBody = round % 2 == 0
        request.limits.bodyBytes = 65_536
        return request
      }
    }
    await Outcome.all(of: requests) { place, outcome in
      let (start, piece, isWhole) = cases[place % cases.count]
      #expect(outcome.time < .seconds(20), "\(start) \(piece.prefix(10))")
      #expect((outcome.response != nil) == isWhole, "\(start) \(piece.prefix(10)) \(outcome.error as Any)")
      if let response = outcome.response {
        #expect(response.cut != nil)
        #expect(response.body.count <= 65_536)
      }
    }
    #expect(try memory.peak() - before < Self.mostMemory)
  }

  @Test(arguments: [false, true])
  func `that sends a byte now and then, or none, ends at the deadline`(https: Bool) async throws {
    let endpoint = try Endpoint(https ? ["--tls", "127.0.0.1"] : [])
    let whole = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    let fields = [["x-pause": "5"], ["x-end": "hold"]]
    let requests = fields.flatMap { fields in
      ["", "HTTP/1.1 200 OK\r\nField: \(String(repeating: "x", count: 5000))", whole].map { answer in
        var request = endpoint.request(answer, fields.merging(["x-end": "hold"]) { $1 }, https: https)
        request.limits.time = .seconds(2)
        return request
      }
    }
    await Outcome.all(of: requests) { place, outcome in
      // The whole answer takes 25 s, its head a fifth of one.
      #expect(outcome.time > .milliseconds(1900) && outcome.time < .seconds(12), "\(place) \(outcome)")
      #expect((outcome.response != nil) == (place % 3 == 2))
      #expect(outcome.response == nil || outcome.response?.cut != nil)
    }
  }

  @Test func `blocks nobody else, though there are a hundred of it`() async throws {
    let endpoint = try Endpoint()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<100 {
        var request = endpoint.request("", ["x-end": "hold"])
        request.limits.time = .seconds(60)
        group.addTask { [request] in _ = try? await HTTPClient.shared.response(to: request) }
      }
      while try await endpoint.counts().open < 100 {}
      let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
      for _ in 1...20 {
        let outcome = await Outcome(of: endpoint.request(answer))
        #expect(outcome.response?.status == 200, "\(outcome)")
        // The others last a minute.
        #expect(outcome.time < .seconds(30))
      }
      group.cancelAll()
    }
    // Cancelled means gone.
    while try await endpoint.counts().open > 0 {}
  }
}
