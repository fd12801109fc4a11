import Foundation
import TestSupport
import Testing

/// A certificate for 127.0.0.1 that nobody but itself vouches for.
struct SelfSigned {
  /// The certificate alone.
  let chain: String
  /// With its key.
  let both: String

  init(in folder: TemporaryFolder) throws {
    chain = folder.path + "/peer.pem"
    let key = folder.path + "/peer.key"
    let openssl = Process()
    openssl.executableURL = URL(filePath: "/usr/bin/openssl")
    openssl.arguments = [
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj",
      "/CN=peer", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", chain,
    ]
    openssl.standardError = FileHandle.nullDevice
    try openssl.run()
    openssl.waitUntilExit()
    try #require(openssl.terminationStatus == 0, "openssl made no certificate")
    both = try folder.write(
      try String(contentsOfFile: chain, encoding: .utf8) + String(contentsOfFile: key, encoding: .utf8), to: "both.pem")
  }
}
