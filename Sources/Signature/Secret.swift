internal import COpenSSL

/// A webhook secret or token: shows itself nowhere, and wipes its bytes when the last reference goes.
///
/// Only the copy held here is wiped; the `String` it was made from belongs to the caller.
@safe public final class Secret: Sendable {
  /// Allocated here, and not an array: an array's buffer may be copied, and a copy is not wiped.
  // Sendable: written once in `init` before it is shared, freed in `deinit` when it no longer is.
  private nonisolated(unsafe) let storage: UnsafeMutableBufferPointer<UInt8>

  /// Takes the UTF-8 bytes of `text` as they are: no trimming, no decoding (DynamicProtocol.md).
  public init(_ text: String, minimumBytes: Int = 16) throws(SecretError) {
    let count = text.utf8.count
    guard count > 0 else { throw .empty }
    guard count >= minimumBytes else { throw .tooShort(bytes: count, minimum: minimumBytes) }
    let storage = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: count)
    // A UTF-8 view yields exactly `count` elements, so the whole of `storage` is initialised.
    _ = unsafe storage.initialize(from: text.utf8)
    unsafe self.storage = storage
  }

  deinit {
    // The buffer is ours and has not been freed: only this line does.
    unsafe OPENSSL_cleanse(storage.baseAddress, storage.count)
    unsafe storage.deallocate()
  }

  /// Lends the key bytes. The closure must not copy them into anything that outlives it.
  package func withBytes<Result, Failure: Error>(
    _ use: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // `self`, which owns the buffer, lives until the closure has returned.
    defer { withExtendedLifetime(self) {} }
    return try use(unsafe storage.span)
  }

  /// Constant-time equality, for bearer tokens: of the secret only its length can be learned.
  package func matches(_ candidate: Span<UInt8>) -> Bool {
    withBytes { bytes in bytes.equalsInConstantTime(candidate) }
  }
}

extension MutableSpan<UInt8> {
  /// Overwrites a copy of a secret. The compiler cannot leave it out, although nothing reads the bytes afterwards.
  package mutating func wipe() {
    // Exactly the bytes of the span.
    unsafe withUnsafeMutableBufferPointer { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
  }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "<redacted>" }
  public var debugDescription: String { "<redacted>" }
  public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

/// Why a text cannot be a secret. Holds sizes only, so it may be logged.
public enum SecretError: Error, Equatable, CustomStringConvertible {
  /// The text is empty.
  case empty
  /// The text has fewer UTF-8 bytes than asked for.
  case tooShort(bytes: Int, minimum: Int)

  public var description: String {
    switch self {
    case .empty: "the secret is empty"
    case .tooShort(let bytes, let minimum): "the secret has \(bytes) bytes, at least \(minimum) are needed"
    }
  }
}
