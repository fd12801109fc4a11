import Foundation
import Handlers
import RevocationStore
import Storage
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2)))
struct UntrustedPeerTests {
  @Test
  func
    `A receiver whose certificate no authority vouches for gets no request; the attempt says why, and is made again`()
    async throws
  {
    let folder = try TemporaryFolder()
    let certificate = try await SelfSigned(in: folder)
    let peer = try Peer(certificate: certificate)
    let bench = try Bench()
    let handler = ForwardHandler(
      try peer.url("/200"), secrets: [try WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")])
    let dispatcher = try bench.dispatcher(HandlerRegistration("tls", handler: handler))
    try bench.store("1")
    dispatcher.wake()
    try await bench.settle { dispatcher.counters[0].failed.load(ordering: .relaxed) >= 2 }
    await dispatcher.stop()
    #expect(dispatcher.counters[0].delivered.load(ordering: .relaxed) == 0)
    let event = try #require(try bench.store.latestEvents(EventFilter(), before: nil, limit: 1).first)
    guard case .retrying(let attempts, _, let error) = event.handlers.first?.state else {
      Issue.record("\(event.handlers)")
      return
    }
    #expect(attempts >= 2)
    #expect(error.contains("certificate"), "\(error)")

    // A client that trusts it is served, and is the first whose request arrives.
    try await Tool.run(
      "curl",
      [
        "--silent", "--fail", "--noproxy", "*", "--cacert", certificate.chain, "--data", "{}",
        peer.url("/200").absoluteString,
      ])
    #expect(try peer.next().headers["user-agent"]?.hasPrefix("curl/") == true)
  }
}
