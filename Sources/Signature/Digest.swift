internal import Bytes
internal import COpenSSL

/// The 32 bytes of a SHA-256 or of an HMAC-SHA256.
///
/// Not `Equatable` on purpose: `matches` is the only comparison, and it takes constant time.
package struct Digest: Sendable {
  package let bytes: InlineArray<32, UInt8>

  package init(bytes: InlineArray<32, UInt8>) {
    self.bytes = bytes
  }

  /// Constant-time equality over all 32 bytes.
  package func matches(_ other: Digest) -> Bool {
    bytes.span.equalsInConstantTime(other.bytes.span)
  }

  /// 64 lower-case hexadecimal digits.
  package var hex: String {
    var text: [UInt8] = []
    text.reserveCapacity(64)
    for index in bytes.indices {
      text.append(Hexadecimal.digit(bytes[index] >> 4))
      text.append(Hexadecimal.digit(bytes[index] & 15))
    }
    return String(decoding: text, as: UTF8.self)
  }
}

extension Span<UInt8> {
  /// Equality whose time depends on the lengths alone.
  func equalsInConstantTime(_ other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    return unsafe withUnsafeBufferPointer { left in
      unsafe other.withUnsafeBufferPointer { right in
        // Both buffers are valid for `count` bytes during the closures.
        unsafe CRYPTO_memcmp(left.baseAddress, right.baseAddress, left.count) == 0
      }
    }
  }
}
