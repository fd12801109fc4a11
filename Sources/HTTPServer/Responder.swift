package import HTTPMessage

/// What a server is for: turns requests into responses. Each loop has one of its own and calls it on its own queue only,
/// so that it needs no lock.
package protocol Responder: AnyObject {
  /// Called when a head is whole and its body is not. A response is sent without waiting for the body, and the connection
  /// closes after it. `nil` reads on.
  func earlyResponse(to head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Response?

  /// A whole request. `bytes` are the head's. `nil` promises an answer through `EventLoop.answer` with this `exchange`.
  func respond(to head: borrowing RequestHead, _ bytes: Span<UInt8>, body: Span<UInt8>, exchange: Exchange) -> Response?

  /// A request that was refused for its form, or did not come in time. `bytes` are what came of it, its head first.
  func refused(_ error: RequestError, _ bytes: Span<UInt8>)

  /// Nothing more is readable for now: hand over what the round has collected, as one batch.
  func roundEnded()
}

extension Responder {
  package func refused(_ error: RequestError, _ bytes: Span<UInt8>) {}
}

/// One request's place in a loop. An answer to another request than the one that waits, or for a connection that is gone, is dropped.
package struct Exchange: Sendable, Hashable {
  let connection: ConnectionID
  let request: UInt32
}

/// A connection by its slot in the loop, and the generation that tells it from a later one in the same slot. Never by its descriptor: the
/// kernel gives that number to the next one at once.
struct ConnectionID: Sendable, Hashable {
  let slot: Int32
  let generation: UInt32
}
