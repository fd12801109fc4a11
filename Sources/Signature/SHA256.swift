internal import COpenSSL

/// SHA-256 (FIPS 180-4) of bytes that lie in one piece.
package enum SHA256 {
  package static func digest(of message: Span<UInt8>) throws(OpenSSLFailure) -> Digest {
    var digest = InlineArray<32, UInt8>(repeating: 0)
    var written = 0
    var span = digest.mutableSpan
    let finished = unsafe span.withUnsafeMutableBufferPointer { output in
      unsafe message.withUnsafeBufferPointer { input in
        // `output` has the 32 bytes that SHA-256 writes; `input` is valid for `count` bytes.
        unsafe EVP_Q_digest(nil, "SHA256", nil, input.baseAddress, input.count, output.baseAddress, &written) == 1
      }
    }
    guard finished, written == 32 else { throw OpenSSLFailure("EVP_Q_digest") }
    return Digest(bytes: digest)
  }
}
