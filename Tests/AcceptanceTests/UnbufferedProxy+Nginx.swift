import Foundation
import HTTPServer
import TestSupport

extension UnbufferedProxy {
  private static let nginxPath = "/usr/sbin/nginx"

  static var hasNginx: Bool { FileManager.default.isExecutableFile(atPath: nginxPath) }

  /// Passes each piece of a body on as it comes, and keeps its connections to the receiver. It closes each of those
  /// after 1,000 requests, its default, so that a long run also sees connections end.
  static func nginx(in folder: TemporaryFolder, to upstream: ListenAddress) throws -> UnbufferedProxy {
    let path = folder.path
    return try UnbufferedProxy(nginxPath, ["-p", path, "-e", "stderr", "-c"], in: folder) { socket, port in
      """
      daemon off;
      master_process off;
      pid \(path)/nginx.pid;
      error_log stderr notice;
      events { worker_connections 1024; }
      http {
        access_log off;
        client_body_temp_path \(path)/body;
        proxy_temp_path \(path)/proxy;
        fastcgi_temp_path \(path)/fastcgi;
        uwsgi_temp_path \(path)/uwsgi;
        scgi_temp_path \(path)/scgi;
        upstream revoked {
          server \(upstream);
          keepalive 8;
        }
        server {
          listen unix:\(socket);
          listen 127.0.0.1:\(port);
          keepalive_requests 1000000;
          location = /webhooks/dynamic {
            proxy_pass http://revoked;
            proxy_http_version 1.1;
            proxy_request_buffering off;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
          }
        }
      }
      """
    }
  }
}
