import Foundation
import HTTPServer
import TestSupport
import Testing

/// nginx as a child in the foreground, with a certificate of its own, listening on a unix socket: no port to be taken.
final class NginxProxy {
  private static let nginx = "/usr/sbin/nginx"
  private static let openssl = "/usr/bin/openssl"
  private static let curl = "/usr/bin/curl"

  static var canRun: Bool {
    [nginx, openssl, curl].allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }
  }

  private let process: Process
  private let log: LogReader
  private let folder: String
  private var socket: String { folder + "/nginx.sock" }

  init(in folder: TemporaryFolder, to upstream: ListenAddress) throws {
    self.folder = folder.path
    let key = folder.path + "/key.pem"
    let certificate = folder.path + "/certificate.pem"
    let made = try Program.run(
      Self.openssl,
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj",
        "/CN=hooks.example.com", "-keyout", key, "-out", certificate,
      ])
    try #require(made.status == 0, "\(made.errors)")
    let configuration = try folder.write(
      """
      daemon off;
      master_process off;
      pid \(folder.path)/nginx.pid;
      error_log stderr notice;
      events {}
      http {
        access_log off;
        client_body_temp_path \(folder.path)/body;
        proxy_temp_path \(folder.path)/proxy;
        fastcgi_temp_path \(folder.path)/fastcgi;
        uwsgi_temp_path \(folder.path)/uwsgi;
        scgi_temp_path \(folder.path)/scgi;
        upstream revoked {
          server \(upstream);
          keepalive 4;
        }
        server {
          listen unix:\(folder.path)/nginx.sock ssl;
          ssl_certificate \(certificate);
          ssl_certificate_key \(key);
          location = /webhooks/dynamic {
            proxy_pass http://revoked;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
          }
        }
      }
      """, to: "nginx.conf")
    process = Executable.process(["-p", folder.path, "-c", configuration, "-e", "stderr"], [:])
    process.executableURL = URL(filePath: Self.nginx)
    process.standardOutput = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardError = pipe
    try process.run()
    try pipe.fileHandleForWriting.close()
    log = LogReader(pipe.fileHandleForReading)
    // Said once the sockets listen.
    let reader = log
    try #require(reader.wait { $0.contains("event method") }, "\(reader.text)")
  }

  deinit {
    // Without a master, nginx leaves its signal mask as it got it, and a test's thread may have blocked SIGTERM.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// Posts one body after another over one connection. Answers status and body of each.
  func post(_ deliveries: [(body: String, signature: String)]) throws -> [String] {
    var transfers: [String] = []
    for (number, delivery) in deliveries.enumerated() {
      let file = "\(folder)/body-\(number).json"
      try Data(delivery.body.utf8).write(to: URL(filePath: file))
      transfers.append(
        """
        url = "https://hooks.example.com/webhooks/dynamic"
        unix-socket = "\(socket)"
        insecure
        silent
        max-time = 30
        header = "Content-Type: application/json"
        header = "x-dynamic-signature-256: \(delivery.signature)"
        data-binary = "@\(file)"
        output = "\(file).answer"
        write-out = "%{http_code}\\n"
        """)
    }
    let script = "\(folder)/curl.conf"
    try Data(transfers.joined(separator: "\nnext\n").utf8).write(to: URL(filePath: script))
    let result = try Program.run(Self.curl, ["--config", script])
    try #require(result.status == 0, "\(result.errors) \(log.text)")
    let codes = result.output.split(separator: "\n")
    return try codes.enumerated().map { number, code in
      "\(code) " + (try String(contentsOfFile: "\(folder)/body-\(number).json.answer", encoding: .utf8))
    }
  }
}
