internal import HTTPMessage

/// What a loop works with while it turns. A local of `EventLoop.turn` that is lent from call to call, and no property
/// of the loop: the runtime tracks every use of an object's property that a call has been lent, and a local's not.
struct Round: ~Copyable {
  /// The head at hand.
  var head = RequestHead()
  /// What the request at hand is answered with, before it goes out in one write.
  var output: [UInt8] = []
  /// Replies that go out at the round's end.
  var postponed: [(connection: Connection, bytes: [UInt8])] = []
  /// Buffers to answer into while others wait: a round's worth at most.
  var spareOutputs: [[UInt8]] = []
}
