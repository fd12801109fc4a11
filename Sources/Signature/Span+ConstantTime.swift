internal import COpenSSL

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
