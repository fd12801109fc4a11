import Foundation
import TestSupport

/// A certificate for 127.0.0.1 that only itself vouches for.
struct SelfSigned {
  /// The certificate alone.
  let chain: String
  /// With its key.
  let both: String

  init(in folder: TemporaryFolder) async throws {
    chain = folder.path + "/peer.pem"
    let key = folder.path + "/peer.key"
    try await Tool.run(
      "openssl",
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj",
        "/CN=peer", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", chain,
      ])
    both = try folder.write(
      try String(contentsOfFile: chain, encoding: .utf8) + String(contentsOfFile: key, encoding: .utf8), to: "both.pem")
  }
}
