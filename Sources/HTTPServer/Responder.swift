package import HTTPMessage

/// What a server is for: turns requests into responses. Each loop has one of its own and calls it on its own queue
/// only, so that it needs no lock.
package protocol Responder: AnyObject {
  /// Called when a head is whole and its body is not. A reply is made without waiting for the body, and the connection
  /// closes after it. `nil` reads on.
  func earlyReply(to head: borrowing RequestHead, _ bytes: Span<UInt8>, exchange: Exchange) -> Reply?

  /// A whole request. `bytes` are the head's.
  func respond(to head: borrowing RequestHead, _ bytes: Span<UInt8>, body: Span<UInt8>, exchange: Exchange) -> Reply

  /// A request that was refused for its form, or did not come in time. `bytes` are what came of it, its head first.
  func refused(_ error: RequestError, _ bytes: Span<UInt8>)

  /// Nothing more is readable for now: hand over what the round has collected, as one batch.
  func roundEnded()

  /// The peer of a request that waits has ended its sending, or the time that `later` named has come. A response ends
  /// the wait; with `nil`, the request waits on without a limit.
  func interrupted(_ exchange: Exchange) -> Response?

  /// The connection of a request is gone that waited with a deadline.
  func gone(_ exchange: Exchange)

  /// A descriptor that the loop waits for on the responder's behalf: readable whenever `descriptorReady` has something
  /// to do, and the same as long as the responder lives. `nil`: none.
  var descriptor: CInt? { get }

  /// Nanoseconds of `EventLoop.now` at which `descriptorReady` is to be called though nothing came. Looked at after
  /// each round of a responder that has a descriptor.
  var deadline: UInt64 { get }

  /// The descriptor is readable, or the deadline has come: the responses that are known by now.
  func descriptorReady() -> [(exchange: Exchange, response: Response)]

  /// `EventLoop.wakeResponder` was called: the responses to requests that have waited for that.
  func woken() -> [(exchange: Exchange, response: Response)]
}

extension Responder {
  package func interrupted(_ exchange: Exchange) -> Response? { nil }
  package func gone(_ exchange: Exchange) {}
  package var descriptor: CInt? { nil }
  package var deadline: UInt64 { .max }
  package func descriptorReady() -> [(exchange: Exchange, response: Response)] { [] }
  package func woken() -> [(exchange: Exchange, response: Response)] { [] }
}

/// What becomes of a request.
package enum Reply {
  case now(Response)
  /// The responder promises an answer, through `EventLoop.answer` or when it is woken or interrupted. `deadline`:
  /// nanoseconds of `EventLoop.now` at which it is interrupted.
  case later(deadline: UInt64 = .max)
  /// The connection moves to the other of the main and the side loop, whose responder gets the request. Only while
  /// `EventLoop.canMove`.
  case elsewhere
}

extension Responder {
  package func refused(_ error: RequestError, _ bytes: Span<UInt8>) {}
}

/// One request's place in a loop. An answer to another request than the one that waits, or for a connection that is
/// gone, is dropped.
package struct Exchange: Sendable, Hashable {
  let connection: ConnectionID
  let request: UInt32
}

/// A connection by its slot in the loop, and the generation that tells it from a later one in the same slot. Never by
/// its descriptor: the kernel gives that number to the next one at once.
struct ConnectionID: Sendable, Hashable {
  let slot: Int32
  let generation: UInt32
}
