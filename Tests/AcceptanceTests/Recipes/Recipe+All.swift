import Foundation
import TestSupport

extension Recipe {
  /// Debian has these three. Traefik and Envoy run where the variable names their program.
  static let all = [nginx, caddy, haproxy, traefik, envoy]
  static let runnable = all.filter(\.canRun)
  /// With what stands in front of a webhook only.
  static let webhooks = runnable + [nginxOfCompose].filter(\.canRun)

  static let nginx = Recipe(
    testDescription: "nginx", program: "/usr/sbin/nginx", files: ["nginx/revoked.conf"], arguments: nginxArguments,
    changes: { place in
      var changes: [Change] = [
        ("listen 443 ssl;", "listen 127.0.0.1:\(place.port) ssl;"),
        ("/var/log/nginx/app.access.log", "\(place.folder.path)/access.log"),
        ("/etc/ssl/example.com.pem", place.certificate.chain), ("/etc/ssl/example.com.key", place.certificate.key),
        ("127.0.0.1:8080", "\(place.webhook)"), ("127.0.0.1:8081", "\(place.lookups)"),
        ("127.0.0.1:3000", "\(place.application)"),
      ]
      if let token = place.token {
        changes.append(
          (#"# proxy_set_header X-Revoked-Token "the token";"#, "proxy_set_header X-Revoked-Token \(token);"))
      }
      if place.failsOpen {
        changes += [
          ("# proxy_intercept_errors on;", "proxy_intercept_errors on;"),
          ("# error_page 500 502 503 504 = @open;", "error_page 500 502 503 504 = @open;"),
        ]
      }
      return changes
    })

  static let nginxOfCompose = Recipe(
    testDescription: "nginx of the compose file", program: "/usr/sbin/nginx", files: ["compose/nginx.conf"],
    arguments: nginxArguments,
    changes: { place in
      [
        ("listen 8443 ssl;", "listen 127.0.0.1:\(place.port) ssl;"),
        ("/etc/ssl/revoked/hooks.pem", place.certificate.chain), ("/etc/ssl/revoked/hooks.key", place.certificate.key),
        ("revoked:8080", "\(place.webhook)"),
      ]
    })

  private static let nginxArguments: @Sendable ([String], Place) throws -> [String] = { files, place in
    let path = place.folder.path
    // What stands around a file of conf.d.
    let main = try place.folder.write(
      """
      daemon off;
      master_process off;
      pid \(path)/nginx.pid;
      error_log stderr notice;
      events {}
      http {
        access_log off;
        client_body_temp_path \(path)/body;
        proxy_temp_path \(path)/proxy;
        fastcgi_temp_path \(path)/fastcgi;
        uwsgi_temp_path \(path)/uwsgi;
        scgi_temp_path \(path)/scgi;
        include \(files[0]);
      }
      """, to: "main.conf")
    return ["-p", path, "-e", "stderr", "-c", main]
  }

  static let caddy = Recipe(
    testDescription: "Caddy", program: "/usr/bin/caddy", files: ["caddy/Caddyfile"],
    arguments: { files, _ in ["run", "--adapter", "caddyfile", "--config", files[0]] },
    changes: { place in
      let site = "\n\tbind 127.0.0.1\n\ttls \(place.certificate.chain) \(place.certificate.key)\n"
      var changes: [Change] = [
        ("{\n\tservers {", "{\n\tadmin off\n\tauto_https off\n\tservers {"),
        ("\nhooks.example.com {\n", "\nhttps://hooks.example.com:\(place.port) {\(site)"),
        ("\napp.example.com {\n", "\nhttps://app.example.com:\(place.port) {\(site)"),
      ]
      if place.token != nil { changes.append(("# header_up X-Revoked-Token", "header_up X-Revoked-Token")) }
      if place.failsOpen {
        let lines = [
          "# handle_errors {", "# \treverse_proxy 127.0.0.1:3000 {", "# \t\theader_up -X-Auth-User",
          "# \t\theader_up -X-Auth-Session", "# \t}", "# }",
        ]
        changes.append(
          (
            lines.joined(separator: "\n\t"), lines.map { String($0.dropFirst(2)) }.joined(separator: "\n")
          ))
      }
      return changes + [
        ("127.0.0.1:8080", "\(place.webhook)"), ("127.0.0.1:8081", "\(place.lookups)"),
        ("127.0.0.1:3000", "\(place.application)"),
      ]
    })

  /// Where HAProxy's own script reaches it.
  static func lookupsSocket(in folder: TemporaryFolder) -> String { folder.path + "/lookups.sock" }

  static let haproxy = Recipe(
    testDescription: "HAProxy", program: "/usr/sbin/haproxy", files: ["haproxy/revoked.lua", "haproxy/haproxy.cfg"],
    arguments: { files, _ in ["-db", "-f", files[1]] },
    changes: { place in
      var changes: [Change] = [
        ("bind :443 ssl", "bind 127.0.0.1:\(place.port) ssl"), ("/etc/haproxy/example.com.pem", place.certificate.both),
        ("/etc/haproxy/revoked.lua", place.folder.path + "/revoked.lua"),
        ("/run/haproxy/revoked-lookups.sock", lookupsSocket(in: place.folder)),
        ("127.0.0.1:8080", "\(place.webhook)"), ("127.0.0.1:8081", "\(place.lookups)"),
        ("127.0.0.1:3000", "\(place.application)"),
      ]
      if let token = place.token {
        changes.append(
          (
            #"# http-request set-header X-Revoked-Token "the token""#,
            #"http-request set-header X-Revoked-Token "\#(token)""#
          ))
      }
      if place.failsOpen {
        changes.append(
          ("  http-request return status 503 hdr Retry-After 5 unless { var(txn.revoked) -m int 200 }\n", ""))
      }
      return changes
    })
}
